#pragma once

// What the database gate asks, and how an event stands in the answers.

#include <flashsale/postgres.hpp>

#include <string>

#include "reservation_event.hpp"

namespace flashsale::stock {

// What tells an event that waits: its reservation, and the currency of its product. event_at()
// reads it. A text is one that the version before has left.
#define EVENT_COLUMNS                                                                      \
    "o.event_id, o.event, r.kind, r.user_id, r.product_id, r.quantity, r.idempotency_key," \
    " r.unit_price, coalesce(p.currency, ''), r.epoch, r.seq, coalesce(p.payment_window_s, 0)"
inline constexpr std::size_t event_columns = 12;

// The time is in whole milliseconds, which is what an id holds: no order is dated before its sale
// begins.
inline constexpr postgres::statement read_product{
    "gate_read_product",
    "SELECT " EVENT_COLUMNS
    ",      r.id, p.version, p.stock, p.price, p.per_user_limit,"
    "       coalesce(date_trunc('milliseconds', now()) >= p.sale_ends_at, false),"
    "       CASE WHEN p.per_user_limit IS NULL THEN 0 ELSE"
    "         (SELECT coalesce(sum(b.quantity), 0) FROM reservations b"
    "          WHERE b.product_id = p.id AND b.kind = 'sale' AND b.user_id = $3)"
    "         - coalesce((SELECT v.returned FROM buyer_returns v"
    "                     WHERE v.product_id = p.id AND v.user_id = $3), 0) END::bigint,"
    "       date_trunc('milliseconds', now()), p.sale_starts_at,"
    "       coalesce(p.withdrawn, p.sale_state, ''), coalesce(p.sale_limit, 0),"
    "       CASE WHEN p.sale_limit IS NULL THEN 0 ELSE"
    "         (SELECT coalesce(sum(b.quantity), 0) FROM products q JOIN reservations b"
    "            ON b.product_id = q.id AND b.kind = 'sale' AND b.user_id = $3"
    "          WHERE q.sale_id = p.sale_id)"
    "         - (SELECT coalesce(sum(v.returned), 0) FROM products q JOIN buyer_returns v"
    "              ON v.product_id = q.id AND v.user_id = $3"
    "            WHERE q.sale_id = p.sale_id) END::bigint,"
    "       CASE WHEN p.sale_limit IS NULL THEN 0 ELSE"
    "         (SELECT s.version FROM sales s WHERE s.id = p.sale_id) END"
    " FROM products p"
    " LEFT JOIN reservations r ON r.product_id = p.id AND r.kind = $2 AND r.user_id = $3"
    "                         AND r.idempotency_key = $4"
    " LEFT JOIN outbox o ON o.event_id = r.id"
    " WHERE p.id = $1"};

/// Columns of read_product behind those of the event.
namespace column {
enum : std::size_t {
    reserved_id = event_columns,
    version,
    stock,
    price,
    limit,
    is_over,
    bought,
    now,
    starts,
    halted,
    sale_limit,
    bought_of_sale,
    sale_version,
};
}

#define RESERVE_TAKEN                                                                         \
    " RETURNING id, price"                                                                    \
    "), reserved AS ("                                                                        \
    "  INSERT INTO reservations (id, product_id, kind, user_id, idempotency_key, quantity,"   \
    "                            unit_price, epoch)"                                          \
    "  SELECT $4, id, $5, $6, $7, $3, price, $8 FROM taken RETURNING seq, unit_price"         \
    "), moved AS ("                                                                           \
    "  INSERT INTO movements (id, product_id, delta, kind, epoch, seq, idempotency_key)"      \
    "  SELECT $4, $1, -$3, $5, $8, seq, CASE WHEN $5 = 'reduction' THEN $7 END FROM reserved" \
    "), entry AS ("                                                                           \
    "  INSERT INTO outbox (event_id, shard) SELECT $4, 0 FROM reserved"                       \
    ") SELECT unit_price, seq FROM reserved"
inline constexpr postgres::statement take_units{
    "gate_take_units",
    "WITH taken AS ("
    "  UPDATE products SET stock = stock - $3, version = version + 1"
    "  WHERE id = $1 AND version = $2 AND stock >= $3" RESERVE_TAKEN};
// Under a limit over a sale another product's order counts too, and moves the sale's own version.
inline constexpr postgres::statement take_units_of_sale{
    "gate_take_units_of_sale",
    "WITH counted AS ("
    "  UPDATE sales s SET version = s.version + 1 FROM products p"
    "  WHERE p.id = $1 AND s.id = p.sale_id AND s.version = $9 RETURNING s.id"
    "), taken AS ("
    "  UPDATE products SET stock = stock - $3, version = version + 1"
    "  WHERE id = $1 AND version = $2 AND stock >= $3"
    "    AND EXISTS (SELECT FROM counted)" RESERVE_TAKEN};
#undef RESERVE_TAKEN

inline constexpr postgres::statement count_outbox{"gate_count_outbox",
                                                  "SELECT count(*) FROM outbox"};
// The recorder asks five times a second, to know whether it may rest. While more than this wait, it
// gets no answer, and does not rest: so the others need not be counted (200,000: 65 ms, not 6).
inline constexpr std::int64_t counted_max = 10'000;
inline constexpr postgres::statement count_some{
    "gate_count_some",
    "SELECT count(*) FROM (SELECT FROM outbox LIMIT $1::bigint + 1) AS some_entries"};
inline constexpr postgres::statement prune_events{
    "gate_prune", "DELETE FROM outbox WHERE event_id = ANY($1::uuid[])"};
inline constexpr postgres::statement read_stock{
    "gate_read_stock",
    "SELECT id, stock, supplied, revision FROM products WHERE id = ANY($1::bigint[])"};
inline constexpr postgres::statement read_events{
    "gate_read_events",
    "SELECT " EVENT_COLUMNS
    " FROM outbox o LEFT JOIN reservations r ON r.id = o.event_id"
    " LEFT JOIN products p ON p.id = r.product_id WHERE o.event_id = ANY($1::uuid[])"};
inline constexpr postgres::statement page_outbox{
    "gate_page_outbox",
    "SELECT " EVENT_COLUMNS
    ", now()"
    " FROM (SELECT 1) one LEFT JOIN (SELECT event_id, event FROM outbox WHERE event_id > $1"
    "                                ORDER BY event_id LIMIT 1000) o ON true"
    " LEFT JOIN reservations r ON r.id = o.event_id LEFT JOIN products p ON p.id = r.product_id"
    " ORDER BY o.event_id"};
#undef EVENT_COLUMNS

/// As currency, it never changes: it need not be read again with the units.
inline std::uint32_t window_of(const postgres::rows& rows, std::size_t row) {
    return static_cast<std::uint32_t>(rows.integer(row, 11));
}

/// Of EVENT_COLUMNS, of an event that is there, complete.
inline std::string event_at(const postgres::rows& rows, std::size_t row) {
    if (!rows.is_null(row, 1)) return std::string(rows.text(row, 1));
    const uuid id = rows.uuid(row, 0);
    // For the reader of events to set aside.
    if (rows.is_null(row, 2)) return "\"" + id.to_string() + " has no reservation\"";
    reservation of;
    of.what = rows.text(row, 2) == "sale" ? operation::sale : operation::reduction;
    of.user_id = rows.integer(row, 3);
    of.product_id = rows.integer(row, 4);
    of.quantity = rows.integer(row, 5);
    of.idempotency_key = rows.text(row, 6);
    return event_of(of, id,
                    {.unit_price = rows.integer(row, 7),
                     .currency = currency_code::of_record(rows.text(row, 8)),
                     .payment_window_s = window_of(rows, row),
                     .epoch = static_cast<std::uint64_t>(rows.integer(row, 9)),
                     .seq = static_cast<std::uint64_t>(rows.integer(row, 10))});
}

}  // namespace flashsale::stock
