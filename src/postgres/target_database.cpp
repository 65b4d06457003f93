#include "target_database.hpp"

#include <stdexcept>
#include <string>
#include <thread>

#include "settings.hpp"

namespace flashsale::postgres {

namespace {

constexpr statement find_database{"find_database", "SELECT 1 FROM pg_database WHERE datname = $1"};

std::string database_name(const conninfo& settings) {
    // As libpq and the server choose when none is given.
    for (const auto* keyword : {"dbname", "user"}) {
        if (const auto found = settings.find(keyword); found != settings.end()) {
            return found->second;
        }
    }
    return "postgres";
}

/// The same server and role, another database: a conninfo string whose `dbname` comes last.
std::string url_of_database(const conninfo& settings, std::string_view name) {
    std::string text;
    const auto append = [&text](std::string_view keyword, std::string_view value) {
        text.append(keyword).append("='");
        for (const char c : value) {
            if (c == '\'' || c == '\\') text += '\\';
            text += c;
        }
        text += "' ";
    };
    for (const auto& [keyword, value] : settings) {
        if (keyword != "dbname") append(keyword, value);
    }
    append("dbname", name);
    return text;
}

/// The same server and role, its maintenance database.
options maintenance_of(const options& target, const conninfo& settings) {
    auto out = target;
    out.url = url_of_database(settings, "postgres");
    out.statement_timeout = std::chrono::seconds(60);
    return out;
}

[[noreturn]] void refuse(const options& target, const std::string& why) {
    throw std::runtime_error(describe_target(target) + ": " + why);
}

}  // namespace

std::string describe_target(const options& target) {
    const auto settings = connection_settings(target);
    return settings ? "database " + database_name(*settings) : "database";
}

bool database_is_missing(const options& target) {
    const auto settings = connection_settings(target);
    if (!settings) return false;
    session server(maintenance_of(target, *settings));
    const auto found = server.execute(find_database, parameters().text(database_name(*settings)));
    return found && found->empty();
}

void create_database_if_missing(const options& target) {
    const auto connected = session(target).connect();
    if (connected) return;
    const auto settings = connection_settings(target);
    if (!settings) refuse(target, settings.error());

    const auto name = database_name(*settings);
    session server(maintenance_of(target, *settings));
    const auto found = server.execute(find_database, parameters().text(name));
    // The first refusal says more than that of a database that was not asked for.
    if (!found) {
        const bool not_durable = found.error().what == error::kind::not_durable;
        refuse(target, (not_durable ? found.error() : connected.error()).message);
    }
    if (!found->empty()) {
        // Another process may have made it a moment ago.
        const auto again = session(target).connect();
        if (!again) refuse(target, again.error().message);
        return;
    }

    // Locale C: byte order, which no upgrade of the system's locales can change under an index.
    const auto create = "CREATE DATABASE " + quote_identifier(name) +
                        " TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'";
    for (int attempt = 1;; ++attempt) {
        const auto created = server.execute(create);
        if (created) return;
        const auto& fault = created.error();
        const bool another_was_first =
            fault.sqlstate == "42P04" || fault.what == error::kind::unique_violation;
        if (another_was_first) return;
        if (fault.what != error::kind::transient || attempt == 10) refuse(target, fault.message);
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
}

}  // namespace flashsale::postgres
