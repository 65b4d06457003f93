#include <cstdio>

#include <flashsale/app.hpp>

#include "commands.hpp"
#include "compose.hpp"
#include "data_folder.hpp"
#include "probe.hpp"

namespace flashsale::app {

namespace {

int migrate_embedded(const config& settings) {
    const data_folder folder(settings.sqlite.folder);
    const sqlite::folder_lock lock(folder.path);
    for (const std::string& name : migrate_files(settings, folder))
        std::printf("%s\n", name.c_str());
    return exit_ok;
}

}  // namespace

int migrate(const config& settings) {
    if (is_embedded(settings)) return migrate_embedded(settings);
    for (const module_database& one : module_databases(settings)) {
        try {
            const auto applied =
                postgres::migrate(postgres_options(settings, one.url), one.migrations);
            for (const std::string& name : applied)
                std::printf("%s: %s\n", one.name, name.c_str());
        } catch (const std::runtime_error& error) {
            require_durable(settings, one);
            if (const auto whose = module_of_another(settings, one))
                throw unavailable_error(*whose);
            throw unavailable_error(std::string("the ") + one.name + " database (" + one.key +
                                    "): " + error.what());
        }
    }
    return exit_ok;
}

}  // namespace flashsale::app
