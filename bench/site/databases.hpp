#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace flashsale::bench {

/// Where the order and stock databases are, as flashsale itself would find them.
struct database_urls {
    std::string stock;
    std::string order;
};

using environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

/// `postgres.{stock,order}_url` of flashsale's configuration (JSON, comments allowed; an empty
/// path: none), overridden by FLASHSALE_POSTGRES__{STOCK,ORDER}_URL. Throws
/// std::runtime_error with a sentence if a URL is nowhere to be found.
database_urls find_databases(const std::filesystem::path& config, const environment& from);

/// `postgres.user_url`, or FLASHSALE_POSTGRES__USER_URL, in the same way.
std::string find_user_database(const std::filesystem::path& config, const environment& from);

/// Where an embedded deployment (stock.gate `memory`) keeps its data, found in the same way;
/// nullopt: it is no embedded one.
std::optional<std::filesystem::path> find_data_folder(const std::filesystem::path& config,
                                                      const environment& from);

/// Everything that a deployment stands on.
struct server_urls {
    std::string redis;
    std::string amqp;
    std::string user;
    std::string stock;
    std::string order;
};

/// The same for all of them.
server_urls find_servers(const std::filesystem::path& config, const environment& from);

/// The same URL with another database; throws if it is no postgresql:// URL.
std::string with_database(const std::string& url, const std::string& database);
/// The database that a URL names.
std::string database_of(const std::string& url);

}  // namespace flashsale::bench
