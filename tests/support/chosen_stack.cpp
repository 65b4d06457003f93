#include "chosen_stack.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace flashsale::test {

namespace {

/// Of `id:NUMBER,slots:1`.
std::string number_in(const std::string& resource) {
    const auto begin = resource.find(':') + 1;
    return resource.substr(begin, resource.find(',') - begin);
}

}  // namespace

void choose_stack() {
    const char* folder = std::getenv("FLASHSALE_STACKS");
    const char* resource = std::getenv("CTEST_RESOURCE_GROUP_0_STACKS");
    if (folder == nullptr || resource == nullptr) return;
    const std::string name = std::string(folder) + "/" + number_in(resource) + ".env";
    std::ifstream file(name);
    std::string line;
    bool found = false;
    while (std::getline(file, line)) {
        const auto at = line.find('=');
        if (at == std::string::npos) continue;
        ::setenv(line.substr(0, at).c_str(), line.substr(at + 1).c_str(), 1);
        found = true;
    }
    if (found) return;
    std::fprintf(stderr, "%s says nothing of the servers that ctest chose\n", name.c_str());
    std::exit(2);
}

}  // namespace flashsale::test
