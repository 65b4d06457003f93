#include "probe.hpp"

#include <chrono>
#include <thread>

#include <flashsale/order/module.hpp>
#include <flashsale/postgres/pooler.hpp>
#include <flashsale/stock/module.hpp>
#include <flashsale/user/module.hpp>

#include "compose.hpp"

namespace flashsale::app {

std::string not_answering(std::string_view server, std::string_view key, std::string_view url,
                          std::string_view why) {
    std::string out(server);
    out.append(" does not answer at ").append(without_password(url));
    if (!why.empty()) out.append(" (").append(why).append(")");
    out.append(": start it (script/stack up starts all three servers) or correct ").append(key);
    return out;
}

void require_log(const config& settings, events::log& log) {
    using steady = std::chrono::steady_clock;
    const auto until = steady::now() + ms_of(settings.process.start_timeout_ms);
    while (true) {
        const auto prepared = log.prepare();
        if (prepared) return;
        if (prepared.error().find("another deployment") != std::string::npos)
            throw config_error("amqp.url " + without_password(settings.amqp.url) +
                               ", amqp.namespace " + settings.amqp.name_space + ": " +
                               prepared.error() + "; the stock database at " +
                               without_password(settings.postgres.stock_url) +
                               " is of one, the exchange of another: correct the one that is not "
                               "meant");
        if (steady::now() >= until)
            throw unavailable_error(
                not_answering("RabbitMQ", "amqp.url", settings.amqp.url, prepared.error()));
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
}

std::vector<module_database> module_databases(const config& settings) {
    return {
        {"user", "postgres.user_url", settings.postgres.user_url, user::postgres_migrations()},
        {"stock", "postgres.stock_url", settings.postgres.stock_url, stock::postgres_migrations()},
        {"order", "postgres.order_url", settings.postgres.order_url, order::postgres_migrations()},
    };
}

std::optional<std::string> module_of_another(const config& settings, const module_database& mine) {
    for (const module_database& other : module_databases(settings)) {
        if (std::string_view(other.name) == mine.name) continue;
        // An empty database is no other module's.
        const auto target = postgres_options(settings, mine.url);
        const auto as_other = postgres::check_schema(target, other.migrations).state;
        const bool others =
            as_other == schema_state::current ||
            (as_other == schema_state::behind &&
             postgres::check_schema(target, mine.migrations).state != schema_state::behind);
        if (others)
            return std::string("the ") + mine.name + " database is the " + other.name +
                   " module's: correct " + mine.key;
    }
    return std::nullopt;
}

void require_durable(const config& settings, const module_database& one) {
    const auto connected = postgres::check_pooler(postgres_options(settings, one.url));
    if (connected || connected.error().what != postgres::error::kind::not_durable) return;
    throw unavailable_error(std::string("the ") + one.name + " database (" + one.key +
                            ") is not used: " + connected.error().message);
}

void require_schemas(const config& settings) {
    for (const module_database& one : module_databases(settings)) {
        require_durable(settings, one);
        const auto report =
            postgres::check_schema(postgres_options(settings, one.url), one.migrations);
        const std::string name = std::string("the ") + one.name + " database";
        if (report.state == schema_state::ahead || report.state == schema_state::changed) {
            if (const auto whose = module_of_another(settings, one))
                throw unavailable_error(*whose);
        }
        switch (report.state) {
            case schema_state::current:
                break;
            case schema_state::behind:
                throw unavailable_error(name + " is behind (" + report.detail +
                                        "): run `flashsale migrate` with the same configuration");
            case schema_state::ahead:
                throw unavailable_error(name + " is of a newer version (" + report.detail +
                                        "): run that version, or a newer one");
            case schema_state::changed:
                throw unavailable_error(name + " has a migration that is not this version's (" +
                                        report.detail + ")");
            case schema_state::unreachable:
                throw unavailable_error(not_answering(std::string("PostgreSQL, ") + name, one.key,
                                                      one.url, report.detail));
        }
    }
}

void require_session(postgres::session& session, const char* name, const char* key,
                     const std::string& url) {
    if (auto connected = session.connect(); !connected) {
        throw unavailable_error(not_answering(std::string("PostgreSQL, the ") + name + " database",
                                              key, url, connected.error().message));
    }
}

}  // namespace flashsale::app
