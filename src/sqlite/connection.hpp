#pragma once

#include <sqlite3.h>

#include <chrono>
#include <unordered_map>

#include <flashsale/sqlite.hpp>

namespace flashsale::sqlite {

struct query::prepared {
    sqlite3_stmt* handle = nullptr;
    bool in_use = false;
};

struct database::state {
    explicit state(const options& given) : settings(given) {}
    ~state();

    std::expected<void, error> open();
    /// One statement without parameters or rows of interest.
    std::expected<void, error> run(const char* sql);
    std::expected<void, error> set_up();
    std::expected<void, error> enter_wal();

    static int on_busy(void* self, int tries);
    static int on_commit_to_wal(void* self, sqlite3* handle, const char* schema, int pages);

    options settings;
    sqlite3* handle = nullptr;
    std::unordered_map<const char*, query::prepared> statements;
    std::chrono::steady_clock::time_point busy_since;
};

}  // namespace flashsale::sqlite
