#include "postgres_order_rows.hpp"

#include <algorithm>

namespace flashsale::order {

namespace {

// Numbered under a lock that is held until the commit
// (migrations/order/postgres/0005_recorded.sql).
// A subquery and no join: the planner takes a row for two thousand, and compiles what is so dear.
#define INSERT_ORDERS(STATUS, WINDOWS, WINDOW)                                                    \
    "WITH numbers AS ("                                                                           \
    "  UPDATE recorded SET last = last + cardinality($1::uuid[])"                                 \
    "  RETURNING last - cardinality($1::uuid[]) AS before"                                        \
    ") INSERT INTO orders (id, user_id, product_id, quantity, unit_price, order_status,"          \
    "                      idempotency_key, epoch, seq, created_at, recorded, currency)"          \
    " SELECT id, user_id, product_id, quantity, unit_price, " STATUS                              \
    ", idempotency_key,"                                                                          \
    "        epoch, seq, created_at, (SELECT before FROM numbers) + place,"                       \
    "        nullif(currency, '')"                                                                \
    " FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],"            \
    "             $6::text[], $7::bigint[], $8::bigint[], $9::timestamptz[], $10::text[]" WINDOWS \
    ") WITH ORDINALITY"                                                                           \
    "   AS b (id, user_id, product_id, quantity, unit_price, idempotency_key, epoch, seq,"        \
    "         created_at, currency" WINDOW ", place)"
#define OUTRIGHT INSERT_ORDERS("'SUCCESS'", "", "")
#define HELD                                                                                   \
    INSERT_ORDERS("CASE window_s WHEN 0 THEN 'SUCCESS' ELSE 'PENDING' END", ", $11::bigint[]", \
                  ", window_s")
#define NOT_THERE " ON CONFLICT DO NOTHING RETURNING id"
/// Of a batch, all of which was sold outright: nearly every one is.
constexpr postgres::statement insert_orders{"insert_orders", OUTRIGHT};
constexpr postgres::statement insert_orders_not_there{"insert_orders_not_there",
                                                      OUTRIGHT NOT_THERE};
constexpr postgres::statement insert_held_orders{"insert_held_orders", HELD};
constexpr postgres::statement insert_held_orders_not_there{"insert_held_orders_not_there",
                                                           HELD NOT_THERE};
#undef NOT_THERE
#undef HELD
#undef OUTRIGHT
#undef INSERT_ORDERS
/// Behind these, of those that are orders now.
constexpr postgres::statement insert_lives{
    "insert_lives",
    "INSERT INTO order_lives (order_id, payment_window_s, expires_at, due_at)"
    " SELECT o.id, b.window_s, e.at, e.at"
    " FROM unnest($1::uuid[], $2::bigint[]) AS b (id, window_s)"
    " JOIN orders o ON o.id = b.id AND o.line = 0,"
    " LATERAL (SELECT o.created_at + b.window_s * interval '1 second' AS at) e"
    " ON CONFLICT (order_id) DO NOTHING"};

postgres::parameters parameters_of(std::span<const events::order_accepted> orders) {
    std::vector<uuid> ids;
    std::vector<std::int64_t> users, products, quantities, prices, epochs, seqs;
    std::vector<std::string_view> keys, currencies;
    std::vector<timestamp> times;
    for (const events::order_accepted& one : orders) {
        ids.push_back(one.id);
        users.push_back(one.user_id);
        products.push_back(one.product_id);
        quantities.push_back(one.quantity);
        prices.push_back(one.unit_price);
        keys.push_back(one.idempotency_key);
        epochs.push_back(static_cast<std::int64_t>(one.epoch));
        seqs.push_back(static_cast<std::int64_t>(one.seq));
        times.push_back(one.created_at);
        currencies.push_back(one.currency.text());
    }
    postgres::parameters out;
    out.uuids(ids).integers(users).integers(products).integers(quantities).integers(prices);
    out.texts(keys).integers(epochs).integers(seqs).times(times).texts(currencies);
    return out;
}

bool is_held(const events::order_accepted& one) {
    return one.payment_window_s != 0;
}

/// Inside a transaction: by the one statement or the other.
postgres::result insert_orders_by(postgres::session& database,
                                  std::span<const events::order_accepted> orders,
                                  const postgres::statement& outright,
                                  const postgres::statement& held) {
    auto with = parameters_of(orders);
    if (std::ranges::none_of(orders, is_held)) return database.execute(outright, with);
    std::vector<std::int64_t> windows;
    std::vector<uuid> held_ids;
    std::vector<std::int64_t> held_windows;
    for (const events::order_accepted& one : orders) {
        windows.push_back(one.payment_window_s);
        if (!is_held(one)) continue;
        held_ids.push_back(one.id);
        held_windows.push_back(one.payment_window_s);
    }
    auto inserted = database.execute(held, with.integers(windows));
    if (!inserted) return inserted;
    postgres::parameters lives;
    lives.uuids(held_ids).integers(held_windows);
    if (const auto done = database.execute(insert_lives, lives); !done)
        return std::unexpected(done.error());
    return inserted;
}

}  // namespace

postgres::result insert_new_rows(postgres::session& database,
                                 std::span<const events::order_accepted> orders) {
    return insert_orders_by(database, orders, insert_orders, insert_held_orders);
}

postgres::result insert_rows_not_there(postgres::session& database,
                                       std::span<const events::order_accepted> orders) {
    return insert_orders_by(database, orders, insert_orders_not_there,
                            insert_held_orders_not_there);
}

}  // namespace flashsale::order
