// Parameters and rows, which are alike for both databases.

#include <flashsale/base/must_hold.hpp>
#include <flashsale/sql.hpp>

#include "table.hpp"

namespace flashsale::sql {

parameters& parameters::integer(std::int64_t value) {
    values_.emplace_back(std::optional(value));
    return *this;
}

parameters& parameters::integer(std::optional<std::int64_t> value) {
    values_.emplace_back(value);
    return *this;
}

parameters& parameters::text(std::string_view value) {
    values_.emplace_back(std::optional(std::string(value)));
    return *this;
}

parameters& parameters::text(const std::optional<std::string>& value) {
    values_.emplace_back(value);
    return *this;
}

parameters& parameters::uuid(const flashsale::uuid& value) {
    values_.emplace_back(value);
    return *this;
}

parameters& parameters::time(timestamp value) {
    values_.emplace_back(std::optional(value));
    return *this;
}

parameters& parameters::time(std::optional<timestamp> value) {
    values_.emplace_back(value);
    return *this;
}

parameters& parameters::boolean(bool value) {
    values_.emplace_back(value);
    return *this;
}

parameters& parameters::integers(std::span<const std::int64_t> values) {
    values_.emplace_back(std::vector(values.begin(), values.end()));
    return *this;
}

parameters& parameters::uuids(std::span<const flashsale::uuid> values) {
    values_.emplace_back(std::vector(values.begin(), values.end()));
    return *this;
}

parameters& parameters::texts(std::span<const std::string> values) {
    values_.emplace_back(std::vector(values.begin(), values.end()));
    return *this;
}

parameters& parameters::now() {
    values_.emplace_back(clock{});
    return *this;
}

namespace {

const table& of(const std::shared_ptr<const table>& rows) {
    must_hold(rows != nullptr, "a row that is read is in the result");
    return *rows;
}

}  // namespace

std::size_t rows::size() const {
    return table_ ? table_->size() : 0;
}

bool rows::is_null(std::size_t row, std::size_t column) const {
    return of(table_).is_null(row, column);
}

std::int64_t rows::integer(std::size_t row, std::size_t column) const {
    return of(table_).integer(row, column);
}

std::string_view rows::text(std::size_t row, std::size_t column) const {
    return of(table_).text(row, column);
}

uuid rows::uuid(std::size_t row, std::size_t column) const {
    return of(table_).uuid(row, column);
}

timestamp rows::time(std::size_t row, std::size_t column) const {
    return of(table_).time(row, column);
}

bool rows::boolean(std::size_t row, std::size_t column) const {
    return of(table_).boolean(row, column);
}

std::optional<std::int64_t> rows::optional_integer(std::size_t row, std::size_t column) const {
    if (is_null(row, column)) return std::nullopt;
    return integer(row, column);
}

std::optional<timestamp> rows::optional_time(std::size_t row, std::size_t column) const {
    if (is_null(row, column)) return std::nullopt;
    return time(row, column);
}

awaitable<result> executor::execute(const statement& what, parameters with) {
    // The lambda owns its arguments: this function's are gone when the coroutine first runs.
    return await_callback<result>(
        [this, what, with = std::move(with)](callback<result> done) mutable {
            submit(what, std::move(with), std::move(done));
        });
}

}  // namespace flashsale::sql
