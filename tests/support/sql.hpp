#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace flashsale::test {

/// Rows as text, NULL as nullopt.
using sql_rows = std::vector<std::vector<std::optional<std::string>>>;

/// Runs one statement (or several, the last one's rows are returned) on a connection of its own.
/// Throws std::runtime_error with the server's message.
sql_rows run_sql(const std::string& url, const std::string& statement);

/// The same on an SQLite file; a blob of 16 bytes comes as the UUID that it is.
sql_rows run_sqlite(const std::filesystem::path& file, const std::string& statement);

/// Keeps an SQLite file from being written to for as long as it lives.
class sqlite_write_lock {
public:
    explicit sqlite_write_lock(const std::filesystem::path& file);
    ~sqlite_write_lock();
    sqlite_write_lock(const sqlite_write_lock&) = delete;
    sqlite_write_lock& operator=(const sqlite_write_lock&) = delete;

private:
    void* connection_ = nullptr;
};

/// Keeps a table from being written to, not from being read, for as long as it lives. Returns when
/// it has the lock.
class table_lock {
public:
    table_lock(const std::string& url, const std::string& table);
    ~table_lock();
    table_lock(const table_lock&) = delete;
    table_lock& operator=(const table_lock&) = delete;

private:
    void* connection_ = nullptr;
};

/// The same URL with another database.
std::string with_database(const std::string& url, const std::string& database);
/// The database that a URL names.
std::string database_of(const std::string& url);

}  // namespace flashsale::test
