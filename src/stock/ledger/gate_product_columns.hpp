#pragma once

// What a gate is told of a product, as it stands in a row of `products` of either database.

#include <flashsale/stock/gate_decisions.hpp>

#include <string_view>

namespace flashsale::stock {

#define GATE_PRODUCT_COLUMNS                                                                     \
    "id, supplied, price, per_user_limit, sale_starts_at, sale_ends_at, coalesce(currency, '')," \
    " coalesce(payment_window_s, 0), revision, coalesce(withdrawn, sale_state, ''),"             \
    " coalesce(sale_id, 0), coalesce(sale_limit, 0)"
inline constexpr std::size_t gate_product_columns = 12;

inline halt halt_of(std::string_view word) {
    return word == "paused"     ? halt::paused
           : word == "ended"    ? halt::ended
           : word == "archived" ? halt::archived
           : word == "deleted"  ? halt::deleted
                                : halt::none;
}

/// `Rows`: sql::rows or postgres::rows.
template <class Rows>
gate_product gate_product_at(const Rows& rows, std::size_t row) {
    gate_product out;
    out.id = rows.integer(row, 0);
    out.supplied = rows.integer(row, 1);
    out.price = rows.integer(row, 2);
    out.per_user_limit = rows.optional_integer(row, 3);
    out.sale_starts_at = rows.optional_time(row, 4);
    out.sale_ends_at = rows.optional_time(row, 5);
    out.currency = currency_code::of_record(rows.text(row, 6));
    out.payment_window_s = static_cast<std::uint32_t>(rows.integer(row, 7));
    out.revision = rows.integer(row, 8);
    out.halted = halt_of(rows.text(row, 9));
    out.sale_id = rows.integer(row, 10);
    out.sale_limit = rows.integer(row, 11);
    return out;
}

}  // namespace flashsale::stock
