#include <flashsale/stock/module.hpp>

#include "compose.hpp"
#include "probe.hpp"
#include "sites.hpp"

namespace flashsale::app {

namespace {

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

void stack_site::migrate(bool force, const report_name& applied) const {
    if (!force) require_nobody_serves(settings);
    for (const module_database& one : module_databases(settings)) {
        try {
            for (const std::string& name :
                 postgres::migrate(migrating(settings, one.url), one.migrations))
                applied(std::string(one.name) + ": " + name);
        } catch (const std::runtime_error& error) {
            require_durable(settings, one);
            if (const auto whose = module_of_another(settings, one))
                throw unavailable_error(*whose);
            throw unavailable_error(std::string("the ") + one.name + " database (" + one.key +
                                    "): " + error.what());
        }
    }
}

}  // namespace flashsale::app
