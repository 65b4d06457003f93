#pragma once

// What an adapter gives `rows` to read from.

#include <flashsale/sql.hpp>

namespace flashsale::sql {

class table {
public:
    virtual ~table() = default;

    virtual std::size_t size() const = 0;
    virtual bool is_null(std::size_t row, std::size_t column) const = 0;
    virtual std::int64_t integer(std::size_t row, std::size_t column) const = 0;
    virtual std::string_view text(std::size_t row, std::size_t column) const = 0;
    virtual flashsale::uuid uuid(std::size_t row, std::size_t column) const = 0;
    virtual timestamp time(std::size_t row, std::size_t column) const = 0;
    virtual bool boolean(std::size_t row, std::size_t column) const = 0;
};

}  // namespace flashsale::sql
