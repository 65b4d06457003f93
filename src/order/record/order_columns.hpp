#pragma once

// How an order stands in its tables, for all statements that read whole orders.

#include <flashsale/order.hpp>
#include <flashsale/sql.hpp>

/// `o` and `l` in ORDER_COLUMNS. One that was sold outright and has not ended has no row in the
/// second one.
#define ORDER_TABLES "orders o LEFT JOIN order_lives l ON l.order_id = o.id"
/// read_order() reads these.
#define ORDER_COLUMNS                                                                           \
    "o.id, o.user_id, o.product_id, o.quantity, o.unit_price, o.created_at,"                    \
    " coalesce(o.currency, ''), coalesce(l.payment_window_s, 0), o.order_status, l.expires_at," \
    " coalesce(l.status_since, o.created_at)"

namespace flashsale::order {

inline constexpr std::size_t order_columns = 11;

inline order read_order(const sql::rows& rows, std::size_t row, std::size_t first = 0) {
    return {.id = rows.uuid(row, first),
            .user_id = rows.integer(row, first + 1),
            .product_id = rows.integer(row, first + 2),
            .quantity = rows.integer(row, first + 3),
            .unit_price = rows.integer(row, first + 4),
            .created_at = rows.time(row, first + 5),
            .currency = currency_code::of_record(rows.text(row, first + 6)),
            .payment_window_s = static_cast<std::uint32_t>(rows.integer(row, first + 7)),
            .status = order_status_of(rows.text(row, first + 8)).value(),
            .expires_at = rows.optional_time(row, first + 9),
            .status_since = rows.time(row, first + 10)};
}

}  // namespace flashsale::order
