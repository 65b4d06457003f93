#include "rows.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>

#include "codec.hpp"

namespace flashsale::postgres {

namespace {

[[noreturn]] void die(const PGresult* result, std::size_t row, std::size_t column,
                      const char* complaint) {
    const char* name = result ? PQfname(result, static_cast<int>(column)) : nullptr;
    std::fprintf(stderr, "flashsale: bug: PostgreSQL row %zu, column %zu (%s): %s\n", row, column,
                 name ? name : "no such column", complaint);
    std::abort();
}

/// The bytes of one value that must exist, have one of these types, and not be null.
std::string_view value_of(const rows::storage* storage, std::size_t row, std::size_t column,
                          std::initializer_list<std::uint32_t> types, const char* complaint) {
    const PGresult* result = storage ? storage->result.get() : nullptr;
    const auto r = static_cast<int>(row);
    const auto c = static_cast<int>(column);
    if (!result || r >= PQntuples(result) || c >= PQnfields(result)) {
        die(result, row, column, "outside the result");
    }
    if (std::find(types.begin(), types.end(), PQftype(result, c)) == types.end()) {
        die(result, row, column, complaint);
    }
    if (PQfformat(result, c) != 1) die(result, row, column, "not in the binary format");
    if (PQgetisnull(result, r, c)) die(result, row, column, "null, read as a value");
    return {PQgetvalue(result, r, c), static_cast<std::size_t>(PQgetlength(result, r, c))};
}

}  // namespace

rows::rows() = default;
rows::rows(rows&&) noexcept = default;
rows& rows::operator=(rows&&) noexcept = default;
rows::~rows() = default;
rows::rows(std::unique_ptr<storage> owned) : storage_(std::move(owned)) {}

std::size_t rows::size() const {
    return storage_ ? static_cast<std::size_t>(PQntuples(storage_->result.get())) : 0;
}

std::size_t rows::affected() const {
    if (!storage_) return 0;
    const std::string_view digits = PQcmdTuples(storage_->result.get());
    std::size_t count = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), count);
    return count;
}

bool rows::is_null(std::size_t row, std::size_t column) const {
    const PGresult* result = storage_ ? storage_->result.get() : nullptr;
    const auto r = static_cast<int>(row);
    const auto c = static_cast<int>(column);
    if (!result || r >= PQntuples(result) || c >= PQnfields(result)) {
        die(result, row, column, "outside the result");
    }
    return PQgetisnull(result, r, c) != 0;
}

std::int64_t rows::integer(std::size_t row, std::size_t column) const {
    return read_integer(value_of(storage_.get(), row, column, {oid::int8, oid::int4, oid::int2},
                                 "not a smallint, integer or bigint"));
}

std::string_view rows::text(std::size_t row, std::size_t column) const {
    return value_of(storage_.get(), row, column, {oid::text, oid::varchar, oid::name, oid::bpchar},
                    "not a text");
}

uuid rows::uuid(std::size_t row, std::size_t column) const {
    return read_uuid(value_of(storage_.get(), row, column, {oid::uuid}, "not a uuid"));
}

timestamp rows::time(std::size_t row, std::size_t column) const {
    return read_time(
        value_of(storage_.get(), row, column, {oid::timestamptz}, "not a timestamptz"));
}

bool rows::boolean(std::size_t row, std::size_t column) const {
    return value_of(storage_.get(), row, column, {oid::boolean}, "not a boolean")[0] != 0;
}

std::optional<std::int64_t> rows::optional_integer(std::size_t row, std::size_t column) const {
    if (is_null(row, column)) return std::nullopt;
    return integer(row, column);
}

std::optional<timestamp> rows::optional_time(std::size_t row, std::size_t column) const {
    if (is_null(row, column)) return std::nullopt;
    return time(row, column);
}

}  // namespace flashsale::postgres
