// What changes orders after they were recorded, on either database. Who locks many rows locks them
// in the order of their ids, so that two such batches never wait for each other.

#include <flashsale/order/life.hpp>
#include <flashsale/order/recovery.hpp>
#include <flashsale/sql.hpp>

#include "record/order_columns.hpp"
#include "record/payment_columns.hpp"

namespace flashsale::order {

namespace {

using sql::access;

/// Behind an order's columns: what its units are known by in the ledger. ended_order_at() reads it.
#define ENDED_COLUMNS_OF(TABLE) \
    ORDER_COLUMNS_OF(TABLE) ", " TABLE "line, " TABLE "epoch, " TABLE "seq, " TABLE "restock"
constexpr sql::statement find_orders{
    access::read,
    "life_find_orders",
    "SELECT " ORDER_COLUMNS " FROM orders WHERE id = ANY($1::uuid[]) AND line = 0",
    {"SELECT " ORDER_COLUMNS " FROM orders WHERE id = ?1 AND line = 0"}};

constexpr sql::statement find_payments_by_key{
    access::read,
    "life_find_payments",
    "SELECT " PAYMENT_COLUMNS_OF("p.")
    " FROM unnest($1::uuid[], $2::text[]) AS a (order_id, key)"
    " JOIN payments p ON p.order_id = a.order_id AND p.idempotency_key = a.key",
    {"SELECT " PAYMENT_COLUMNS_OF("") " FROM payments WHERE order_id = ?1 AND idempotency_key = ?2"}};

constexpr sql::statement find_succeeded_payments{
    access::read,
    "life_find_succeeded",
    "SELECT " PAYMENT_COLUMNS_OF(
        "") " FROM payments WHERE order_id = ANY($1::uuid[]) AND state = 'succeeded'",
    {"SELECT " PAYMENT_COLUMNS_OF(
        "") " FROM payments WHERE order_id = ?1 AND state = 'succeeded'"}};

constexpr sql::statement cancel_orders{
    access::write,
    "life_cancel",
    "WITH asked AS ("
    "  SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS a (id, reason, restock)"
    "), was AS ("
    "  SELECT o.id, o.order_status, a.reason, a.restock <> 0 AS restock"
    "  FROM orders o JOIN asked a ON a.id = o.id"
    "  WHERE o.line = 0 AND o.order_status IN ('SUCCESS', 'PENDING')"
    "  ORDER BY o.id FOR UPDATE OF o"
    "), noted AS ("
    "  INSERT INTO order_changes (order_id, from_status, to_status, reason, changed_at)"
    "  SELECT id, order_status, 'CANCELLED', nullif(reason, ''), now() FROM was"
    ") UPDATE orders o SET order_status = 'CANCELLED', status_since = now(),"
    "                      due_at = now() + interval '1 second', restock = was.restock"
    " FROM was WHERE o.id = was.id AND o.line = 0 RETURNING " ENDED_COLUMNS_OF("o."),
    {"INSERT INTO order_changes (order_id, from_status, to_status, reason, changed_at)"
     " SELECT id, order_status, 'CANCELLED', nullif(?2, ''), ?4 FROM orders"
     " WHERE id = ?1 AND line = 0 AND (order_status = 'SUCCESS' OR order_status = 'PENDING')",
     "UPDATE orders SET order_status = 'CANCELLED', status_since = ?4, due_at = ?4 + 1000000,"
     "                  restock = ?3"
     " WHERE id = ?1 AND line = 0 AND (order_status = 'SUCCESS' OR order_status = 'PENDING')"
     " RETURNING " ENDED_COLUMNS_OF("")}};

constexpr sql::statement expire_orders{
    access::write,
    "life_expire",
    "WITH due AS ("
    "  SELECT id FROM orders"
    "  WHERE order_status = 'PENDING' AND line = 0 AND due_at <= now()"
    "  ORDER BY due_at, id LIMIT $1 FOR UPDATE SKIP LOCKED"
    "), noted AS ("
    "  INSERT INTO order_changes (order_id, from_status, to_status, changed_at)"
    "  SELECT id, 'PENDING', 'EXPIRED', now() FROM due"
    ") UPDATE orders o SET order_status = 'EXPIRED', status_since = now(),"
    "                      due_at = now() + interval '1 second'"
    " FROM due WHERE o.id = due.id AND o.line = 0 RETURNING " ENDED_COLUMNS_OF("o."),
    {"INSERT INTO order_changes (order_id, from_status, to_status, changed_at)"
     " SELECT id, 'PENDING', 'EXPIRED', ?2 FROM orders"
     " WHERE order_status = 'PENDING' AND due_at <= ?2 ORDER BY due_at, id LIMIT ?1",
     "UPDATE orders SET order_status = 'EXPIRED', status_since = ?2, due_at = ?2 + 1000000"
     " WHERE line = 0 AND id IN (SELECT id FROM orders WHERE order_status = 'PENDING'"
     "                           AND due_at <= ?2 ORDER BY due_at, id LIMIT ?1)"
     " RETURNING " ENDED_COLUMNS_OF("")}};

// What an order costs in all, or 2^53, which no balance reaches.
#define TOTAL                                                               \
    "CASE WHEN unit_price > 0 AND quantity > 9007199254740992 / unit_price" \
    "     THEN 9007199254740992 ELSE quantity * unit_price END"
constexpr sql::statement start_paying{
    access::write,
    "life_start_paying",
    "WITH held AS ("
    "  SELECT o.id, o.user_id, o.quantity, o.unit_price, o.currency, a.payment_id, a.key"
    "  FROM orders o JOIN unnest($1::uuid[], $2::uuid[], $3::text[]) AS a (id, payment_id, key)"
    "    ON a.id = o.id"
    "  WHERE o.line = 0 AND o.order_status = 'PENDING' AND o.expires_at > now()"
    "  ORDER BY o.id FOR UPDATE OF o"
    "), changed AS ("
    "  UPDATE orders o SET order_status = 'PAYING', status_since = now(),"
    "                      due_at = now() + interval '1 second', payment_id = h.payment_id"
    "  FROM held h WHERE o.id = h.id AND o.line = 0"
    ") INSERT INTO payments AS p (id, order_id, user_id, method, amount, currency, state,"
    "                             idempotency_key, created_at)"
    " SELECT payment_id, id, user_id, 'balance', " TOTAL
    ", currency, 'started', key, now()"
    " FROM held RETURNING " PAYMENT_COLUMNS_OF("p."),
    {"INSERT INTO payments (id, order_id, user_id, method, amount, currency, state,"
     "                      idempotency_key, created_at)"
     " SELECT ?2, id, user_id, 'balance', " TOTAL ", currency, 'started', ?3, ?4 FROM orders"
     " WHERE id = ?1 AND line = 0 AND order_status = 'PENDING' AND expires_at > ?4"
     " RETURNING " PAYMENT_COLUMNS_OF(""),
     "UPDATE orders SET order_status = 'PAYING', status_since = ?4, due_at = ?4 + 1000000,"
     "                  payment_id = ?2"
     " WHERE id = ?1 AND line = 0 AND order_status = 'PENDING' AND expires_at > ?4"}};
#undef TOTAL

constexpr sql::statement finish_paid{
    access::write,
    "life_finish_paid",
    "WITH asked AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS a (id, payment_id)),"
    " locked AS ("
    "  SELECT o.id FROM orders o JOIN asked a ON a.id = o.id"
    "  WHERE o.line = 0 AND o.order_status = 'PAYING' AND o.payment_id = a.payment_id"
    "  ORDER BY o.id FOR UPDATE OF o"
    "), changed AS ("
    "  UPDATE orders o SET order_status = 'PAID', status_since = now(), due_at = NULL"
    "  FROM locked l WHERE o.id = l.id AND o.line = 0"
    "), noted AS ("
    "  INSERT INTO order_changes (order_id, from_status, to_status, changed_at)"
    "  SELECT id, 'PENDING', 'PAID', now() FROM locked"
    ") UPDATE payments p SET state = 'succeeded', decided_at = now()"
    " FROM asked a JOIN locked l ON l.id = a.id WHERE p.id = a.payment_id AND p.state = 'started'",
    {"INSERT INTO order_changes (order_id, from_status, to_status, changed_at)"
     " SELECT id, 'PENDING', 'PAID', ?3 FROM orders"
     " WHERE id = ?1 AND line = 0 AND order_status = 'PAYING' AND payment_id = ?2",
     "UPDATE orders SET order_status = 'PAID', status_since = ?3, due_at = NULL"
     " WHERE id = ?1 AND line = 0 AND order_status = 'PAYING' AND payment_id = ?2",
     "UPDATE payments SET state = 'succeeded', decided_at = ?3"
     " WHERE id = ?2 AND state = 'started' AND changes() = 1"}};
constexpr sql::statement finish_unpaid{
    access::write,
    "life_finish_unpaid",
    "WITH asked AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS a (id, payment_id)),"
    " locked AS ("
    "  SELECT o.id FROM orders o JOIN asked a ON a.id = o.id"
    "  WHERE o.line = 0 AND o.order_status = 'PAYING' AND o.payment_id = a.payment_id"
    "  ORDER BY o.id FOR UPDATE OF o"
    "), changed AS ("
    "  UPDATE orders o SET order_status = 'PENDING', status_since = now(), due_at = o.expires_at,"
    "                      payment_id = NULL"
    "  FROM locked l WHERE o.id = l.id AND o.line = 0"
    ") UPDATE payments p SET state = 'failed', decided_at = now()"
    " FROM asked a JOIN locked l ON l.id = a.id WHERE p.id = a.payment_id AND p.state = 'started'",
    {"UPDATE orders SET order_status = 'PENDING', status_since = ?3, due_at = expires_at,"
     "                  payment_id = NULL"
     " WHERE id = ?1 AND line = 0 AND order_status = 'PAYING' AND payment_id = ?2",
     "UPDATE payments SET state = 'failed', decided_at = ?3"
     " WHERE id = ?2 AND state = 'started' AND changes() = 1"}};

constexpr sql::statement find_unfinished{
    access::read,
    "life_find_unfinished",
    "SELECT " PAYMENT_COLUMNS_OF("p.")
    " FROM orders o JOIN payments p ON p.id = o.payment_id"
    " WHERE o.order_status = 'PAYING' AND o.due_at <= now() ORDER BY o.due_at LIMIT $1",
    {"SELECT " PAYMENT_COLUMNS_OF("p.")
     " FROM orders o JOIN payments p ON p.id = o.payment_id"
     " WHERE o.order_status = 'PAYING' AND o.due_at <= ?2 ORDER BY o.due_at LIMIT ?1"}};

constexpr sql::statement find_returns_due{
    access::read,
    "life_find_returns_due",
    "SELECT " ENDED_COLUMNS_OF("") " FROM orders"
    " WHERE order_status IN ('CANCELLED', 'EXPIRED') AND due_at <= now()"
    " ORDER BY due_at, id LIMIT $1",
    {"SELECT " ENDED_COLUMNS_OF("") " FROM orders"
     " WHERE order_status IN ('CANCELLED', 'EXPIRED') AND due_at <= ?2"
     " ORDER BY due_at, id LIMIT ?1"}};
constexpr sql::statement clear_returns{
    access::write,
    "life_clear_returns",
    "UPDATE orders SET due_at = NULL"
    " WHERE id = ANY($1::uuid[]) AND line = 0 AND order_status IN ('CANCELLED', 'EXPIRED')",
    {"UPDATE orders SET due_at = NULL"
     " WHERE id = ?1 AND line = 0 AND order_status IN ('CANCELLED', 'EXPIRED')"}};

std::unexpected<life_fault> fault_of(const sql::error& error) {
    return std::unexpected(life_fault{error.what == sql::error::kind::unique_violation,
                                      "order database: " + error.message});
}

ended_order ended_order_at(const sql::rows& rows, std::size_t row) {
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
            {movement_of(std::move(taken)), what.user_id,
             rows.is_null(row, order_columns + 3) || rows.boolean(row, order_columns + 3)}};
}

std::vector<ended_order> ended_orders(const sql::rows& rows) {
    std::vector<ended_order> out;
    out.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row)
        out.push_back(ended_order_at(rows, row));
    return out;
}

template <class All, class Of>
auto each_of(const All& all, Of of) {
    std::vector<std::decay_t<decltype(std::invoke(of, all.front()))>> out;
    out.reserve(all.size());
    for (const auto& one : all)
        out.push_back(std::invoke(of, one));
    return out;
}

class sql_life_store final : public life_store {
public:
    explicit sql_life_store(std::unique_ptr<sql::session> database)
        : database_(std::move(database)) {}

    result<std::vector<order>> find(std::span<const uuid> ids) override {
        if (ids.empty()) return std::vector<order>{};
        const auto found = database_->execute(find_orders, sql::parameters().uuids(ids));
        if (!found) return fault_of(found.error());
        std::vector<order> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(read_order(*found, row));
        return out;
    }

    result<std::vector<payment>> find_payments(std::span<const payment_request> asked) override {
        if (asked.empty()) return std::vector<payment>{};
        sql::parameters with;
        with.uuids(each_of(asked, &payment_request::order_id));
        with.texts(each_of(asked, &payment_request::idempotency_key));
        return payments(find_payments_by_key, with);
    }

    result<std::vector<payment>> find_succeeded(std::span<const uuid> orders) override {
        if (orders.empty()) return std::vector<payment>{};
        return payments(find_succeeded_payments, sql::parameters().uuids(orders));
    }

    result<std::vector<ended_order>> cancel(std::span<const cancel_request> asked) override {
        if (asked.empty()) return std::vector<ended_order>{};
        sql::parameters with;
        with.uuids(each_of(asked, &cancel_request::order_id));
        with.texts(each_of(asked, &cancel_request::reason));
        with.integers(
            each_of(asked, [](const cancel_request& one) { return std::int64_t{one.restock}; }));
        return ended(cancel_orders, with.now());
    }

    result<std::vector<ended_order>> expire(std::size_t orders_max) override {
        return ended(expire_orders, up_to(orders_max).now());
    }

    result<std::vector<payment>> start_payments(std::span<const payment_request> asked) override {
        if (asked.empty()) return std::vector<payment>{};
        sql::parameters with;
        with.uuids(each_of(asked, &payment_request::order_id));
        with.uuids(each_of(asked, &payment_request::payment_id));
        with.texts(each_of(asked, &payment_request::idempotency_key));
        return payments(start_paying, with.now());
    }

    result<void> finish_taken(std::span<const payment> taken) override {
        return finish(finish_paid, taken);
    }
    result<void> finish_declined(std::span<const payment> declined) override {
        return finish(finish_unpaid, declined);
    }
    result<std::vector<payment>> unfinished_payments(std::size_t payments_max) override {
        return payments(find_unfinished, up_to(payments_max).now());
    }

    result<std::vector<ended_order>> returns_due(std::size_t orders_max) override {
        return ended(find_returns_due, up_to(orders_max).now());
    }
    result<void> returned(std::span<const uuid> orders) override {
        if (orders.empty()) return {};
        return run(clear_returns, sql::parameters().uuids(orders));
    }

private:
    static sql::parameters up_to(std::size_t rows_max) {
        return std::move(sql::parameters().integer(static_cast<std::int64_t>(rows_max)));
    }

    result<void> run(const sql::statement& what, const sql::parameters& with) {
        const auto done = database_->execute(what, with);
        if (!done) return fault_of(done.error());
        return {};
    }
    result<std::vector<ended_order>> ended(const sql::statement& what,
                                           const sql::parameters& with) {
        const auto found = database_->execute(what, with);
        if (!found) return fault_of(found.error());
        return ended_orders(*found);
    }
    result<std::vector<payment>> payments(const sql::statement& what, const sql::parameters& with) {
        const auto found = database_->execute(what, with);
        if (!found) return fault_of(found.error());
        return read_payments(*found);
    }
    result<void> finish(const sql::statement& what, std::span<const payment> decided) {
        if (decided.empty()) return {};
        sql::parameters with;
        with.uuids(each_of(decided, &payment::order_id)).uuids(each_of(decided, &payment::id));
        return run(what, with.now());
    }

    const std::unique_ptr<sql::session> database_;
};

}  // namespace

std::unique_ptr<life_store> make_postgres_life_store(postgres::session& database) {
    return std::make_unique<sql_life_store>(sql::make_session(database));
}

std::unique_ptr<life_store> make_sqlite_life_store(sqlite::database& database) {
    return std::make_unique<sql_life_store>(sql::make_session(database));
}

}  // namespace flashsale::order
