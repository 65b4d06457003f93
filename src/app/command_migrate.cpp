#include <cstdio>

#include <flashsale/app.hpp>
#include <flashsale/stock/module.hpp>

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

postgres::options migrating(const config& settings, const std::string& url) {
    auto out = postgres_options(settings, url);
    out.application_name = stock::migrating_session;
    return out;
}

/// A process of the version before goes on by what it knows: it declares what the new version has
/// taken away, and writes what the new version reads otherwise. So nothing is applied while one is
/// there; each that serves has sessions at the stock database. Where there is nothing to apply,
/// processes of both versions may serve at once.
void require_nobody_serves(const config& settings) {
    bool behind = false;
    for (const module_database& one : module_databases(settings)) {
        const auto state =
            postgres::check_schema(migrating(settings, one.url), one.migrations).state;
        behind = behind || state == schema_state::behind;
    }
    if (!behind) return;
    postgres::session stock_database(migrating(settings, settings.postgres.stock_url));
    if (!stock_database.connect()) return;  // not there yet, or what follows says why
    const auto other = stock::find_other_session(stock_database);
    if (!other) return;
    throw unavailable_error(
        "nothing is migrated, though there is something to apply: " + *other +
        ": stop every `flashsale serve` of this deployment, and whatever else is connected there; "
        "if none of them is flashsale's (a monitor, say), --force goes on beside them");
}

}  // namespace

int migrate(const config& settings, bool force) {
    if (is_embedded(settings)) return migrate_embedded(settings);
    if (!force) require_nobody_serves(settings);
    for (const module_database& one : module_databases(settings)) {
        try {
            const auto applied = postgres::migrate(migrating(settings, one.url), one.migrations);
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
