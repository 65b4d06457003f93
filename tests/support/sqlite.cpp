#include <sqlite3.h>

#include <flashsale/base/uuid.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "sql.hpp"

namespace flashsale::test {

namespace {

struct closer {
    void operator()(sqlite3* connection) const { sqlite3_close(connection); }
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

std::optional<std::string> text_of(sqlite3_stmt* row, int column) {
    const int type = sqlite3_column_type(row, column);
    if (type == SQLITE_NULL) return std::nullopt;
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
    if (type == SQLITE_BLOB && size == sizeof(uuid)) {
        uuid id;
        const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(row, column));
        std::copy_n(bytes, size, id.bytes.begin());
        return id.to_string();
    }
    const void* text = sqlite3_column_blob(row, column);
    return std::string(static_cast<const char*>(text), size);
}

}  // namespace

sql_rows run_sqlite(const std::filesystem::path& file, const std::string& statement) {
    sqlite3* opened = nullptr;
    const int found = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
    const std::unique_ptr<sqlite3, closer> connection{opened};
    const auto fail = [&] {
        throw std::runtime_error(statement + ": " + sqlite3_errmsg(connection.get()));
    };
    if (found != SQLITE_OK) fail();
    sqlite3_busy_timeout(connection.get(), 60'000);
    sql_rows rows;
    for (const char* next = statement.c_str(); *next != '\0';) {
        sqlite3_stmt* prepared = nullptr;
        if (sqlite3_prepare_v2(connection.get(), next, -1, &prepared, &next) != SQLITE_OK) fail();
        const std::unique_ptr<sqlite3_stmt, closer> running{prepared};
        if (prepared == nullptr) break;
        rows.clear();
        int step = SQLITE_ROW;
        while ((step = sqlite3_step(prepared)) == SQLITE_ROW) {
            auto& columns = rows.emplace_back();
            for (int column = 0; column < sqlite3_column_count(prepared); ++column)
                columns.push_back(text_of(prepared, column));
        }
        if (step != SQLITE_DONE) fail();
    }
    return rows;
}

sqlite_write_lock::sqlite_write_lock(const std::filesystem::path& file) {
    sqlite3* opened = nullptr;
    int done = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
    connection_ = opened;
    sqlite3_busy_timeout(opened, 60'000);
    if (done == SQLITE_OK) {
        done = sqlite3_exec(opened, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    }
    if (done != SQLITE_OK) throw std::runtime_error(file.string() + " cannot be locked");
}

sqlite_write_lock::~sqlite_write_lock() {
    sqlite3_close(static_cast<sqlite3*>(connection_));
}

}  // namespace flashsale::test
