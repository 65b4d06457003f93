#pragma once

// Whether the servers that a command needs are there, said so that one knows what to start.

#include <optional>
#include <stdexcept>
#include <string>

#include <flashsale/events/log.hpp>
#include <flashsale/postgres.hpp>

#include "config.hpp"

namespace flashsale::app {

struct unavailable_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The three databases of a configuration, with their modules' migrations.
struct module_database {
    const char* name;  ///< `user`
    const char* key;   ///< `postgres.user_url`
    std::string url;
    std::span<const migration> migrations;
};
std::vector<module_database> module_databases(const config& settings);

/// Of a database that is not fit for this module: whose it is, if it is another's.
std::optional<std::string> module_of_another(const config& settings, const module_database& mine);

/// That it keeps what it is told, also through a pooler; whatever else is wrong with it
/// require_schemas() says. Throws unavailable_error.
void require_durable(const config& settings, const module_database& one);

/// Throws unavailable_error if a database does not answer, does not keep what it commits, or is not
/// of this version.
void require_schemas(const config& settings);

/// Connects it, or throws unavailable_error.
void require_session(postgres::session& session, const char* name, const char* key,
                     const std::string& url);

/// Until the log answers, has all that it needs, and is this deployment's. Throws unavailable_error
/// if that is not so in time, config_error if it is another's.
void require_log(const config& settings, events::log& log);

/// "… does not answer at …: … Start it (script/stack up) or correct redis.url."
std::string not_answering(std::string_view server, std::string_view key, std::string_view url,
                          std::string_view why);

}  // namespace flashsale::app
