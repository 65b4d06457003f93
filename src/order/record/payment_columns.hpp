#pragma once

// How a payment stands in its table, for all statements that read whole payments.

#include <flashsale/order/life.hpp>
#include <flashsale/sql.hpp>

/// read_payments() reads these; `TABLE` is the table's name in the statement, with a point.
#define PAYMENT_COLUMNS_OF(TABLE)                                                                \
    TABLE "id, " TABLE "order_id, " TABLE "user_id, " TABLE "amount, coalesce(" TABLE            \
          "currency, ''), " TABLE "state, " TABLE "idempotency_key, " TABLE "created_at, " TABLE \
          "decided_at"

namespace flashsale::order {

inline std::vector<payment> read_payments(const sql::rows& rows) {
    std::vector<payment> out;
    out.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        out.push_back({.id = rows.uuid(row, 0),
                       .order_id = rows.uuid(row, 1),
                       .user_id = rows.integer(row, 2),
                       .amount = rows.integer(row, 3),
                       .currency = currency_code::of_record(rows.text(row, 4)),
                       .state = payment_state_of(rows.text(row, 5)).value(),
                       .idempotency_key = std::string(rows.text(row, 6)),
                       .created_at = rows.time(row, 7),
                       .decided_at = rows.optional_time(row, 8)});
    }
    return out;
}

}  // namespace flashsale::order
