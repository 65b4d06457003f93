#include "scratch_folder.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <system_error>

namespace flashsale::test {

namespace {

constexpr const char* filler = "filler";

std::runtime_error failure(const std::string& what) {
    return std::runtime_error(what + ": " + std::generic_category().message(errno));
}

}  // namespace

scratch_folder::scratch_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "flashsale-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw failure(name);
    path_ = name;
}

scratch_folder::~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

small_disk::small_disk(std::size_t bytes) {
    const std::string size = "mode=0777,size=" + std::to_string(bytes);
    if (::mount("flashsale-test", path().c_str(), "tmpfs", 0, size.c_str()) != 0) {
        throw failure("a tmpfs at " + path().string());
    }
}

small_disk::~small_disk() {
    ::umount2(path().c_str(), MNT_DETACH);
}

void small_disk::fill() {
    const int descriptor =
        ::open((path() / filler).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor < 0) throw failure("the filler");
    // By ever smaller pieces: not a page must be left.
    std::array<char, 65'536> bytes{};
    for (std::size_t piece = bytes.size(); piece >= 1; piece /= 16) {
        while (::write(descriptor, bytes.data(), piece) > 0) {
        }
    }
    ::close(descriptor);
}

void small_disk::empty() {
    std::filesystem::remove(path() / filler);
}

}  // namespace flashsale::test
