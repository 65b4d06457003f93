#include <cassert>
#include <cstring>

#include "connection.hpp"
#include "error.hpp"

namespace flashsale::sqlite {

namespace {

/// A null pointer would be bound as NULL.
const char* not_null(std::string_view bytes) {
    return bytes.data() == nullptr ? "" : bytes.data();
}

}  // namespace

query::query(query&& other) noexcept
    : prepared_(std::exchange(other.prepared_, nullptr)),
      bound_(other.bound_),
      fault_(std::move(other.fault_)) {}

query::~query() {
    if (prepared_ == nullptr) return;
    sqlite3_reset(prepared_->handle);
    sqlite3_clear_bindings(prepared_->handle);
    prepared_->in_use = false;
}

void query::note(int code) {
    if (code != SQLITE_OK && !fault_) fault_ = error_of(code, sqlite3_db_handle(prepared_->handle));
}

query& query::integer(std::int64_t value) {
    if (prepared_ != nullptr) note(sqlite3_bind_int64(prepared_->handle, ++bound_, value));
    return *this;
}

query& query::integer(std::optional<std::int64_t> value) {
    if (value) return integer(*value);
    if (prepared_ != nullptr) note(sqlite3_bind_null(prepared_->handle, ++bound_));
    return *this;
}

query& query::text(std::string_view value) {
    if (prepared_ != nullptr) {
        note(sqlite3_bind_text64(prepared_->handle, ++bound_, not_null(value), value.size(),
                                 SQLITE_TRANSIENT, SQLITE_UTF8));
    }
    return *this;
}

query& query::text(const std::optional<std::string>& value) {
    if (value) return text(std::string_view(*value));
    return integer(std::optional<std::int64_t>{});
}

query& query::blob(std::string_view bytes) {
    if (prepared_ != nullptr) {
        note(sqlite3_bind_blob64(prepared_->handle, ++bound_, not_null(bytes), bytes.size(),
                                 SQLITE_TRANSIENT));
    }
    return *this;
}

query& query::uuid(const flashsale::uuid& value) {
    if (prepared_ != nullptr) {
        note(sqlite3_bind_blob64(prepared_->handle, ++bound_, value.bytes.data(),
                                 value.bytes.size(), SQLITE_TRANSIENT));
    }
    return *this;
}

query& query::time(timestamp value) {
    return integer(std::int64_t{value.time_since_epoch().count()});
}

query& query::time(std::optional<timestamp> value) {
    if (value) return time(*value);
    return integer(std::optional<std::int64_t>{});
}

std::expected<bool, error> query::step() {
    if (fault_) return std::unexpected(*fault_);
    const int code = sqlite3_step(prepared_->handle);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    fault_ = error_of(code, sqlite3_db_handle(prepared_->handle));
    return std::unexpected(*fault_);
}

std::expected<std::int64_t, error> query::run() {
    while (true) {
        const auto row = step();
        if (!row) return std::unexpected(row.error());
        if (!*row) break;
    }
    // Of the last statement that changed anything, which was another one if this only reads.
    if (sqlite3_stmt_readonly(prepared_->handle) != 0) return 0;
    return sqlite3_changes64(sqlite3_db_handle(prepared_->handle));
}

int query::columns() const {
    assert(prepared_ != nullptr);
    return sqlite3_column_count(prepared_->handle);
}

query::type query::type_at(int column) const {
    assert(prepared_ != nullptr && column < sqlite3_data_count(prepared_->handle));
    switch (sqlite3_column_type(prepared_->handle, column)) {
        case SQLITE_INTEGER:
            return type::integer;
        case SQLITE_TEXT:
            return type::text;
        case SQLITE_BLOB:
            return type::blob;
        default:
            assert(sqlite3_column_type(prepared_->handle, column) == SQLITE_NULL);
            return type::null;
    }
}

bool query::null_at(int column) const {
    assert(prepared_ != nullptr && column < sqlite3_data_count(prepared_->handle));
    return sqlite3_column_type(prepared_->handle, column) == SQLITE_NULL;
}

std::int64_t query::integer_at(int column) const {
    assert(prepared_ != nullptr && column < sqlite3_data_count(prepared_->handle));
    assert(sqlite3_column_type(prepared_->handle, column) == SQLITE_INTEGER);
    return sqlite3_column_int64(prepared_->handle, column);
}

std::string_view query::text_at(int column) const {
    assert(prepared_ != nullptr && column < sqlite3_data_count(prepared_->handle));
    assert(sqlite3_column_type(prepared_->handle, column) == SQLITE_TEXT);
    const void* bytes = sqlite3_column_text(prepared_->handle, column);
    const int size = sqlite3_column_bytes(prepared_->handle, column);
    return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

std::string_view query::blob_at(int column) const {
    assert(prepared_ != nullptr && column < sqlite3_data_count(prepared_->handle));
    assert(sqlite3_column_type(prepared_->handle, column) == SQLITE_BLOB);
    const void* bytes = sqlite3_column_blob(prepared_->handle, column);
    const int size = sqlite3_column_bytes(prepared_->handle, column);
    return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

flashsale::uuid query::uuid_at(int column) const {
    flashsale::uuid out;
    const std::string_view bytes = blob_at(column);
    assert(bytes.size() == out.bytes.size());
    std::memcpy(out.bytes.data(), bytes.data(), out.bytes.size());
    return out;
}

timestamp query::time_at(int column) const {
    return timestamp(std::chrono::microseconds(integer_at(column)));
}

std::optional<std::int64_t> query::optional_integer_at(int column) const {
    if (null_at(column)) return std::nullopt;
    return integer_at(column);
}

std::optional<timestamp> query::optional_time_at(int column) const {
    if (null_at(column)) return std::nullopt;
    return time_at(column);
}

}  // namespace flashsale::sqlite
