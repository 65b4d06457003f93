#include <cstdio>

#include <flashsale/app.hpp>

#include "commands.hpp"

namespace flashsale::app {

int migrate(const site& at, bool force) {
    at.migrate(force, [](const std::string& name) { std::printf("%s\n", name.c_str()); });
    return exit_ok;
}

}  // namespace flashsale::app
