#include "migrated_databases.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>

#include "flashsale_process.hpp"
#include "parallel.hpp"
#include "sql.hpp"

namespace flashsale::test {

namespace {

constexpr const char* variables[] = {"FLASHSALE_POSTGRES__USER_URL",
                                     "FLASHSALE_POSTGRES__STOCK_URL",
                                     "FLASHSALE_POSTGRES__ORDER_URL"};

/// Changes whenever the executable does, and with it perhaps its migrations.
std::string build_key() {
    const std::filesystem::path file = flashsale_binary();
    const auto changed = std::filesystem::last_write_time(file).time_since_epoch();
    return std::to_string(std::filesystem::file_size(file)) + "_" +
           std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(changed).count());
}

std::string in_quotes(const std::string& database) {
    return "\"" + database + "\"";
}

bool exists(const std::string& url) {
    return !run_sql(with_database(url, "postgres"),
                    "SELECT FROM pg_database WHERE datname = '" + database_of(url) + "'")
                .empty();
}

void drop(const std::string& url) {
    run_sql(with_database(url, "postgres"),
            "DROP DATABASE IF EXISTS " + in_quotes(database_of(url)) + " WITH (FORCE)");
}

/// Under another name until it is whole. Another program that does the same is no fault.
void make_originals(const std::vector<std::string>& originals) {
    std::vector<std::string> unfinished;
    environment places;
    for (std::size_t i = 0; i < originals.size(); ++i) {
        const std::string name = database_of(originals[i]) + "_" + std::to_string(::getpid());
        unfinished.push_back(with_database(originals[i], name));
        places[variables[i]] = unfinished.back();
    }
    run_or_throw({flashsale_binary(), "migrate", "--config", stack_config()}, places);
    for (std::size_t i = 0; i < originals.size(); ++i) {
        try {
            run_sql(with_database(originals[i], "postgres"),
                    "ALTER DATABASE " + in_quotes(database_of(unfinished[i])) + " RENAME TO " +
                        in_quotes(database_of(originals[i])));
        } catch (const std::runtime_error&) {
            if (!exists(originals[i])) throw;
            drop(unfinished[i]);
        }
    }
}

}  // namespace

void make_migrated_databases(const std::vector<std::string>& urls, const std::string& suffix) {
    const std::string key = "_as_migrated_" + build_key();
    std::vector<std::string> originals;
    for (const std::string& url : urls) {
        const std::string name = database_of(url);
        const std::string module = name.substr(0, name.size() - suffix.size());
        originals.push_back(with_database(url, module + key));
    }
    // The last one to be renamed is there only if the others are.
    if (!exists(originals.back())) make_originals(originals);
    parallel(urls.size(), [&](std::size_t i) {
        return run_sql(with_database(urls[i], "postgres"),
                       "CREATE DATABASE " + in_quotes(database_of(urls[i])) + " TEMPLATE " +
                           in_quotes(database_of(originals[i])));
    });
}

}  // namespace flashsale::test
