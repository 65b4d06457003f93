#pragma once

// Rows as they are carried from SQLite's thread to the one that asked: a cell is a number, or a
// place in one string with the bytes of all texts and blobs.

#include <flashsale/sqlite.hpp>

#include "table.hpp"

namespace flashsale::sql {

class sqlite_table final : public table {
public:
    void add_row(const sqlite::query& from);

    std::size_t size() const override { return columns_ == 0 ? 0 : cells_.size() / columns_; }
    bool is_null(std::size_t row, std::size_t column) const override;
    std::int64_t integer(std::size_t row, std::size_t column) const override;
    std::string_view text(std::size_t row, std::size_t column) const override;
    flashsale::uuid uuid(std::size_t row, std::size_t column) const override;
    timestamp time(std::size_t row, std::size_t column) const override;
    bool boolean(std::size_t row, std::size_t column) const override;

private:
    using type = sqlite::query::type;
    struct cell {
        std::int64_t number = 0;  // or where the bytes begin
        std::uint32_t size = 0;
        type what = type::null;
    };
    const cell& at(std::size_t row, std::size_t column) const;
    const cell& at(std::size_t row, std::size_t column, type what) const;
    std::string_view bytes_of(const cell& one) const;

    std::vector<cell> cells_;  // row by row
    std::size_t columns_ = 0;
    std::string bytes_;
};

}  // namespace flashsale::sql
