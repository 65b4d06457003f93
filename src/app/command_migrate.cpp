#include <cstdio>

#include <flashsale/app.hpp>

#include "commands.hpp"
#include "compose.hpp"
#include "probe.hpp"

namespace flashsale::app {

int migrate(const config& settings) {
    for (const module_database& one : module_databases(settings)) {
        try {
            const auto applied =
                postgres::migrate(postgres_options(settings, one.url), one.migrations);
            for (const std::string& name : applied)
                std::printf("%s: %s\n", one.name, name.c_str());
        } catch (const std::runtime_error& error) {
            throw unavailable_error(std::string("the ") + one.name + " database (" + one.key +
                                    "): " + error.what());
        }
    }
    return exit_ok;
}

}  // namespace flashsale::app
