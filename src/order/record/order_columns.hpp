#pragma once

// How an order stands in its table, for all statements that read whole orders.

#include <flashsale/order.hpp>
#include <flashsale/sql.hpp>

/// read_order() reads these; `TABLE` is the table's name in the statement, with a point.
#define ORDER_COLUMNS_OF(TABLE)                                                               \
    TABLE "id, " TABLE "user_id, " TABLE "product_id, " TABLE "quantity, " TABLE              \
          "unit_price, " TABLE "created_at, coalesce(" TABLE "currency, ''), coalesce(" TABLE \
          "payment_window_s, 0), " TABLE "order_status, " TABLE "expires_at, coalesce(" TABLE \
          "status_since, " TABLE "created_at)"
#define ORDER_COLUMNS ORDER_COLUMNS_OF("")

namespace flashsale::order {

inline constexpr std::size_t order_columns = 11;

inline order read_order(const sql::rows& rows, std::size_t row) {
    return {.id = rows.uuid(row, 0),
            .user_id = rows.integer(row, 1),
            .product_id = rows.integer(row, 2),
            .quantity = rows.integer(row, 3),
            .unit_price = rows.integer(row, 4),
            .created_at = rows.time(row, 5),
            .currency = currency_code::of_record(rows.text(row, 6)),
            .payment_window_s = static_cast<std::uint32_t>(rows.integer(row, 7)),
            .status = order_status_of(rows.text(row, 8)).value(),
            .expires_at = rows.optional_time(row, 9),
            .status_since = rows.time(row, 10)};
}

}  // namespace flashsale::order
