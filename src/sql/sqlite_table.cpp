#include "sqlite_table.hpp"

#include <algorithm>

#include <flashsale/base/must_hold.hpp>

namespace flashsale::sql {

void sqlite_table::add_row(const sqlite::query& from) {
    const int columns = from.columns();
    columns_ = static_cast<std::size_t>(columns);
    for (int column = 0; column < columns; ++column) {
        cell one{0, 0, from.type_at(column)};
        if (one.what == type::integer) {
            one.number = from.integer_at(column);
        } else if (one.what != type::null) {
            const auto bytes = one.what == type::text ? from.text_at(column) : from.blob_at(column);
            one.number = static_cast<std::int64_t>(bytes_.size());
            one.size = static_cast<std::uint32_t>(bytes.size());
            bytes_ += bytes;
        }
        cells_.push_back(one);
    }
}

const sqlite_table::cell& sqlite_table::at(std::size_t row, std::size_t column) const {
    must_hold(row < size() && column < columns_, "a value that is read is in the result");
    return cells_[row * columns_ + column];
}

const sqlite_table::cell& sqlite_table::at(std::size_t row, std::size_t column, type what) const {
    const cell& one = at(row, column);
    must_hold(one.what == what, "a value is read as what it is");
    return one;
}

std::string_view sqlite_table::bytes_of(const cell& one) const {
    return std::string_view(bytes_).substr(static_cast<std::size_t>(one.number), one.size);
}

bool sqlite_table::is_null(std::size_t row, std::size_t column) const {
    return at(row, column).what == type::null;
}

std::int64_t sqlite_table::integer(std::size_t row, std::size_t column) const {
    return at(row, column, type::integer).number;
}

std::string_view sqlite_table::text(std::size_t row, std::size_t column) const {
    return bytes_of(at(row, column, type::text));
}

uuid sqlite_table::uuid(std::size_t row, std::size_t column) const {
    const std::string_view bytes = bytes_of(at(row, column, type::blob));
    flashsale::uuid out;
    must_hold(bytes.size() == out.bytes.size(), "a UUID has 16 bytes");
    std::ranges::copy(bytes, out.bytes.begin());
    return out;
}

timestamp sqlite_table::time(std::size_t row, std::size_t column) const {
    return timestamp(std::chrono::microseconds(integer(row, column)));
}

bool sqlite_table::boolean(std::size_t row, std::size_t column) const {
    return integer(row, column) != 0;
}

}  // namespace flashsale::sql
