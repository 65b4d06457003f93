#pragma once

// What the statements share that change orders after they were recorded.

#include <flashsale/order/life.hpp>
#include <flashsale/order/recovery.hpp>
#include <flashsale/sql.hpp>

#include <utility>
#include <vector>

#include "record/order_columns.hpp"

/// Behind an order's columns: what its units are known by in the ledger. ended_orders() reads it.
#define ENDED_COLUMNS ORDER_COLUMNS ", o.line, o.epoch, o.seq, l.restock"
/// The heads of orders that have a row in order_lives.
#define HEADS_AND_LIVES "orders o JOIN order_lives l ON l.order_id = o.id AND o.line = 0"
#define LIVES_AND_HEADS "order_lives l JOIN orders o ON o.id = l.order_id AND o.line = 0"
/// As has_ended() has them.
#define ENDED_STATES "'CANCELLED', 'EXPIRED', 'REFUNDED'"
/// What an order costs in all, or 2^53, which no balance reaches.
#define ORDER_TOTAL                                                               \
    "CASE WHEN o.unit_price > 0 AND o.quantity > 9007199254740992 / o.unit_price" \
    "     THEN 9007199254740992 ELSE o.quantity * o.unit_price END"

namespace flashsale::order {

inline std::unexpected<life_fault> fault_of(const sql::error& error) {
    return std::unexpected(life_fault{error.what == sql::error::kind::unique_violation,
                                      "order database: " + error.message});
}

inline ended_order ended_order_at(const sql::rows& rows, std::size_t row) {
    const order what = read_order(rows, row);
    stock::allocation taken;
    taken.order_id = what.id;
    taken.line = static_cast<std::uint32_t>(rows.integer(row, order_columns));
    taken.product_id = what.product_id;
    taken.user_id = what.user_id;
    taken.quantity = what.quantity;
    taken.epoch = static_cast<std::uint64_t>(rows.integer(row, order_columns + 1));
    taken.seq = static_cast<std::uint64_t>(rows.integer(row, order_columns + 2));
    return {what,
            {movement_of(std::move(taken)), what.user_id, rows.boolean(row, order_columns + 3)}};
}

inline std::vector<ended_order> ended_orders(const sql::rows& rows) {
    std::vector<ended_order> out;
    out.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row)
        out.push_back(ended_order_at(rows, row));
    return out;
}

}  // namespace flashsale::order
