#pragma once

// A product as it stands in a row of `products` of either database, and what a failed statement
// means to a caller.

#include <flashsale/sql.hpp>
#include <flashsale/stock/store.hpp>

#include "ledger/gate_product_columns.hpp"

namespace flashsale::stock {

#define PRODUCT_COLUMNS                                                                           \
    "id, name, price, supplied, stock, per_user_limit, sale_starts_at, sale_ends_at, created_at," \
    " coalesce(currency, ''), coalesce(payment_window_s, 0), revision,"                           \
    " coalesce(withdrawn, sale_state, ''), coalesce(sale_id, 0), coalesce(sale_limit, 0)"
inline constexpr std::size_t product_columns = 15;

inline product product_at(const sql::rows& rows, std::size_t row) {
    product out;
    out.id = rows.integer(row, 0);
    out.name = rows.text(row, 1);
    out.price = rows.integer(row, 2);
    out.supplied = rows.integer(row, 3);
    out.stock = rows.integer(row, 4);
    out.per_user_limit = rows.optional_integer(row, 5);
    out.sale_starts_at = rows.optional_time(row, 6);
    out.sale_ends_at = rows.optional_time(row, 7);
    out.created_at = rows.time(row, 8);
    out.currency = currency_code::of_record(rows.text(row, 9));
    out.payment_window_s = static_cast<std::uint32_t>(rows.integer(row, 10));
    out.revision = rows.integer(row, 11);
    out.halted = halt_of(rows.text(row, 12));
    out.sale_id = rows.integer(row, 13);
    out.sale_limit = rows.integer(row, 14);
    return out;
}

inline errc errc_of(const sql::error& error) {
    switch (error.what) {
        case sql::error::kind::overloaded:
            return errc::overloaded;
        case sql::error::kind::outcome_unknown:
            return errc::outcome_unknown;
        default:
            return errc::dependency_unavailable;
    }
}

/// A read changes nothing: whatever became of it, there is only no answer.
inline errc errc_of_read(const sql::error& error) {
    const errc code = errc_of(error);
    return code == errc::outcome_unknown ? errc::dependency_unavailable : code;
}

}  // namespace flashsale::stock
