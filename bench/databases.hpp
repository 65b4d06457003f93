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

}  // namespace flashsale::bench
