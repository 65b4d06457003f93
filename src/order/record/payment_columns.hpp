#pragma once

// How a payment and a refund stand in their tables, for all statements that read whole ones.

#include <flashsale/order/payment.hpp>
#include <flashsale/sql.hpp>

#include <vector>

/// read_payments() reads these; `TABLE` is the table's name in the statement, with a point.
#define PAYMENT_COLUMNS_OF(TABLE)                                                                \
    TABLE "id, " TABLE "order_id, " TABLE "user_id, " TABLE "amount, coalesce(" TABLE            \
          "currency, ''), " TABLE "state, " TABLE "idempotency_key, " TABLE "created_at, " TABLE \
          "decided_at, " TABLE "method, coalesce(" TABLE "reference, ''), coalesce(" TABLE       \
          "reason, ''), " TABLE "received_at, " TABLE "replaces"
/// read_refunds() reads these.
#define REFUND_COLUMNS_OF(TABLE)                                                                  \
    TABLE "id, " TABLE "payment_id, " TABLE "order_id, " TABLE "user_id, " TABLE "method, " TABLE \
          "amount, coalesce(" TABLE "currency, ''), " TABLE "state, coalesce(" TABLE              \
          "reason, ''), coalesce(" TABLE "reference, ''), " TABLE "created_at, " TABLE "done_at"

namespace flashsale::order {

inline constexpr std::size_t payment_columns = 14;

inline payment read_payment(const sql::rows& rows, std::size_t row) {
    return {.id = rows.uuid(row, 0),
            .order_id = rows.uuid(row, 1),
            .user_id = rows.integer(row, 2),
            .method = payment_method_of(rows.text(row, 9)).value(),
            .amount = rows.integer(row, 3),
            .currency = currency_code::of_record(rows.text(row, 4)),
            .state = payment_state_of(rows.text(row, 5)).value(),
            .idempotency_key = std::string(rows.text(row, 6)),
            .reference = std::string(rows.text(row, 10)),
            .reason = std::string(rows.text(row, 11)),
            .replaces = rows.is_null(row, 13) ? std::nullopt : std::optional(rows.uuid(row, 13)),
            .created_at = rows.time(row, 7),
            .received_at = rows.optional_time(row, 12),
            .decided_at = rows.optional_time(row, 8)};
}

inline std::vector<payment> read_payments(const sql::rows& rows) {
    std::vector<payment> out;
    out.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row)
        out.push_back(read_payment(rows, row));
    return out;
}

inline refund read_refund(const sql::rows& rows, std::size_t row, std::size_t first = 0) {
    return {.id = rows.uuid(row, first),
            .payment_id = rows.uuid(row, first + 1),
            .order_id = rows.uuid(row, first + 2),
            .user_id = rows.integer(row, first + 3),
            .method = payment_method_of(rows.text(row, first + 4)).value(),
            .amount = rows.integer(row, first + 5),
            .currency = currency_code::of_record(rows.text(row, first + 6)),
            .state = refund_state_of(rows.text(row, first + 7)).value(),
            .reason = std::string(rows.text(row, first + 8)),
            .reference = std::string(rows.text(row, first + 9)),
            .created_at = rows.time(row, first + 10),
            .done_at = rows.optional_time(row, first + 11)};
}

inline std::vector<refund> read_refunds(const sql::rows& rows) {
    std::vector<refund> out;
    out.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row)
        out.push_back(read_refund(rows, row));
    return out;
}

}  // namespace flashsale::order
