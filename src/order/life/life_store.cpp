// What changes orders after they were recorded, on either database. Who locks many rows locks them
// in the order of their ids, so that two such batches never wait for each other.

#include <flashsale/base/fault_points.hpp>
#include <flashsale/order/life.hpp>
#include <flashsale/order/recovery.hpp>
#include <flashsale/sql.hpp>

#include "sql_reading.hpp"

namespace flashsale::order {

namespace {

using sql::access;

constexpr sql::statement find_orders{
    access::read,
    "life_find_orders",
    "SELECT " ORDER_COLUMNS " FROM " ORDER_TABLES " WHERE o.id = ANY($1::uuid[]) AND o.line = 0",
    {"SELECT " ORDER_COLUMNS " FROM " ORDER_TABLES " WHERE o.id = ?1 AND o.line = 0"}};

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
        "p.") " FROM order_lives l JOIN payments p ON p.id = l.payment_id"
              " WHERE l.order_id = ANY($1::uuid[]) AND p.decided_at IS NOT NULL",
    {"SELECT " PAYMENT_COLUMNS_OF(
        "p.") " FROM order_lives l JOIN payments p ON p.id = l.payment_id"
              " WHERE l.order_id = ?1 AND p.decided_at IS NOT NULL"}};

// An order sold outright gets its row here.
#define CANCELLABLE \
    "id = ?1 AND line = 0 AND (order_status = 'SUCCESS' OR order_status = 'PENDING')"
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
    "), l AS ("
    "  INSERT INTO order_lives AS e (order_id, status_since, restock, due_at)"
    "  SELECT id, now(), restock, now() + interval '1 second' FROM was"
    "  ON CONFLICT (order_id) DO UPDATE SET status_since = excluded.status_since,"
    "    restock = excluded.restock, due_at = excluded.due_at"
    "  RETURNING e.*"
    ") UPDATE orders o SET order_status = 'CANCELLED'"
    " FROM l WHERE o.id = l.order_id AND o.line = 0 RETURNING " ENDED_COLUMNS,
    {"INSERT INTO order_changes (order_id, from_status, to_status, reason, changed_at)"
     " SELECT id, order_status, 'CANCELLED', nullif(?2, ''), ?4 FROM orders WHERE " CANCELLABLE,
     "INSERT INTO order_lives (order_id, status_since, restock, due_at)"
     " SELECT id, ?4, ?3, ?4 + 1000000 FROM orders WHERE " CANCELLABLE
     " ON CONFLICT (order_id) DO UPDATE SET status_since = excluded.status_since,"
     "   restock = excluded.restock, due_at = excluded.due_at",
     "UPDATE orders SET order_status = 'CANCELLED' WHERE " CANCELLABLE,
     "SELECT " ENDED_COLUMNS " FROM " HEADS_AND_LIVES " WHERE o.id = ?1 AND changes() = 1"}};
#undef CANCELLABLE

// In SQLite the new times mark those that were chosen, for the texts behind the first one.
#define CHOSEN "l.due_at = ?3 + 1000000 AND l.status_since = ?3"
constexpr sql::statement expire_orders{
    access::write,
    "life_expire",
    "WITH due AS ("
    "  SELECT o.id FROM " LIVES_AND_HEADS
    "  WHERE o.order_status = 'PENDING' AND l.due_at >= $2 AND l.due_at <= now()"
    "  ORDER BY l.due_at, l.order_id LIMIT $1 FOR UPDATE OF o, l SKIP LOCKED"
    "), noted AS ("
    "  INSERT INTO order_changes (order_id, from_status, to_status, changed_at)"
    "  SELECT id, 'PENDING', 'EXPIRED', now() FROM due"
    "), l AS ("
    "  UPDATE order_lives e SET status_since = now(), due_at = now() + interval '1 second'"
    "  FROM due WHERE e.order_id = due.id RETURNING e.*"
    ") UPDATE orders o SET order_status = 'EXPIRED'"
    " FROM l WHERE o.id = l.order_id AND o.line = 0 RETURNING " ENDED_COLUMNS,
    {"UPDATE order_lives SET status_since = ?3, due_at = ?3 + 1000000 WHERE order_id IN"
     " (SELECT l.order_id FROM " LIVES_AND_HEADS
     "  WHERE o.order_status = 'PENDING' AND l.due_at >= ?2 AND l.due_at <= ?3"
     "  ORDER BY l.due_at, l.order_id LIMIT ?1)",
     "INSERT INTO order_changes (order_id, from_status, to_status, changed_at)"
     " SELECT o.id, 'PENDING', 'EXPIRED', ?3 FROM " LIVES_AND_HEADS
     " WHERE o.order_status = 'PENDING' AND " CHOSEN,
     "UPDATE orders SET order_status = 'EXPIRED' WHERE line = 0 AND order_status = 'PENDING'"
     " AND id IN (SELECT l.order_id FROM order_lives l WHERE " CHOSEN ")",
     "SELECT " ENDED_COLUMNS " FROM " LIVES_AND_HEADS
     " WHERE o.order_status = 'EXPIRED' AND " CHOSEN}};
#undef CHOSEN

constexpr sql::statement start_paying{
    access::write,
    "life_start_paying",
    "WITH held AS ("
    "  SELECT o.id, o.user_id, o.currency, " ORDER_TOTAL
    " AS total, a.payment_id, a.key"
    "  FROM " HEADS_AND_LIVES
    "  JOIN unnest($1::uuid[], $2::uuid[], $3::text[]) AS a (id, payment_id, key) ON a.id = o.id"
    "  WHERE o.order_status = 'PENDING' AND l.expires_at > now()"
    "    AND ($4 = '' OR coalesce(o.currency, $4) = $4)"
    "  ORDER BY o.id FOR UPDATE OF o, l"
    "), changed AS ("
    "  UPDATE orders o SET order_status = 'PAYING' FROM held h WHERE o.id = h.id AND o.line = 0"
    "), lives AS ("
    "  UPDATE order_lives l SET status_since = now(), due_at = now() + interval '1 second',"
    "                           payment_id = h.payment_id"
    "  FROM held h WHERE l.order_id = h.id"
    ") INSERT INTO payments AS p (id, order_id, user_id, method, amount, currency, state,"
    "                             idempotency_key, created_at)"
    " SELECT payment_id, id, user_id, 'balance', total, currency, 'started', key, now()"
    " FROM held RETURNING " PAYMENT_COLUMNS_OF("p."),
    {"INSERT INTO payments (id, order_id, user_id, method, amount, currency, state,"
     "                      idempotency_key, created_at)"
     " SELECT ?2, o.id, user_id, 'balance', " ORDER_TOTAL
     ", currency, 'started', ?3, ?5 FROM " HEADS_AND_LIVES
     " WHERE o.id = ?1 AND o.order_status = 'PENDING' AND l.expires_at > ?5"
     "   AND (?4 = '' OR coalesce(o.currency, ?4) = ?4)"
     " RETURNING " PAYMENT_COLUMNS_OF(""),
     "UPDATE order_lives SET status_since = ?5, due_at = ?5 + 1000000, payment_id = ?2"
     " WHERE order_id = ?1 AND changes() = 1",
     "UPDATE orders SET order_status = 'PAYING' WHERE id = ?1 AND line = 0 AND changes() = 1"}};

// The locks are on both rows: another payment may have been started for the order meanwhile.
#define PAID_FOR_BY_ASKED                                                                 \
    "WITH asked AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS a (id, payment_id))," \
    " locked AS ("                                                                        \
    "  SELECT o.id FROM " HEADS_AND_LIVES                                                 \
    "  JOIN asked a ON a.id = o.id"                                                       \
    "  WHERE o.order_status = 'PAYING' AND l.payment_id = a.payment_id"                   \
    "  ORDER BY o.id FOR UPDATE OF o, l"                                                  \
    "), changed AS ("                                                                     \
    "  UPDATE orders o SET order_status = "
#define FROM_LOCKED "  FROM locked l WHERE o.id = l.id AND o.line = 0"
#define PAYING_BY_THIS                                            \
    "id = ?1 AND line = 0 AND order_status = 'PAYING' AND EXISTS" \
    " (SELECT 1 FROM order_lives l WHERE l.order_id = ?1 AND l.payment_id = ?2)"
constexpr sql::statement finish_paid{
    access::write,
    "life_finish_paid",
    PAID_FOR_BY_ASKED
    "'PAID'" FROM_LOCKED
    "), lives AS ("
    "  UPDATE order_lives e SET status_since = now(), due_at = NULL"
    "  FROM locked l WHERE e.order_id = l.id"
    "), noted AS ("
    "  INSERT INTO order_changes (order_id, from_status, to_status, changed_at)"
    "  SELECT id, 'PENDING', 'PAID', now() FROM locked"
    ") UPDATE payments p SET state = 'succeeded', decided_at = now()"
    " FROM asked a JOIN locked l ON l.id = a.id WHERE p.id = a.payment_id AND p.state = 'started'",
    {"INSERT INTO order_changes (order_id, from_status, to_status, changed_at)"
     " SELECT id, 'PENDING', 'PAID', ?3 FROM orders WHERE " PAYING_BY_THIS,
     "UPDATE orders SET order_status = 'PAID' WHERE " PAYING_BY_THIS,
     "UPDATE order_lives SET status_since = ?3, due_at = NULL WHERE order_id = ?1 AND changes() = "
     "1",
     "UPDATE payments SET state = 'succeeded', decided_at = ?3"
     " WHERE id = ?2 AND state = 'started' AND changes() = 1"}};
constexpr sql::statement finish_unpaid{
    access::write,
    "life_finish_unpaid",
    PAID_FOR_BY_ASKED
    "'PENDING'" FROM_LOCKED
    "), lives AS ("
    "  UPDATE order_lives e SET status_since = now(), due_at = e.expires_at, payment_id = NULL"
    "  FROM locked l WHERE e.order_id = l.id"
    ") UPDATE payments p SET state = 'failed', decided_at = now()"
    " FROM asked a JOIN locked l ON l.id = a.id WHERE p.id = a.payment_id AND p.state = 'started'",
    {"UPDATE orders SET order_status = 'PENDING' WHERE " PAYING_BY_THIS,
     "UPDATE order_lives SET status_since = ?3, due_at = expires_at, payment_id = NULL"
     " WHERE order_id = ?1 AND changes() = 1",
     "UPDATE payments SET state = 'failed', decided_at = ?3"
     " WHERE id = ?2 AND state = 'started' AND changes() = 1"}};
#undef PAYING_BY_THIS
#undef FROM_LOCKED
#undef PAID_FOR_BY_ASKED

constexpr sql::statement find_unfinished{
    access::read,
    "life_find_unfinished",
    "SELECT " PAYMENT_COLUMNS_OF(
        "p.") " FROM " LIVES_AND_HEADS
              " JOIN payments p ON p.id = l.payment_id"
              " WHERE o.order_status = 'PAYING' AND l.due_at <= now() ORDER BY l.due_at LIMIT $1",
    {"SELECT " PAYMENT_COLUMNS_OF(
        "p.") " FROM " LIVES_AND_HEADS " JOIN payments p ON p.id = l.payment_id"
              " WHERE o.order_status = 'PAYING' AND l.due_at <= ?2 ORDER BY l.due_at LIMIT ?1"}};

constexpr sql::statement find_returns_due{
    access::read,
    "life_find_returns_due",
    "SELECT " ENDED_COLUMNS " FROM " LIVES_AND_HEADS " WHERE o.order_status IN (" ENDED_STATES
    ") AND l.due_at <= now()"
    " ORDER BY l.due_at, l.order_id LIMIT $1",
    {"SELECT " ENDED_COLUMNS " FROM " LIVES_AND_HEADS " WHERE o.order_status IN (" ENDED_STATES
     ") AND l.due_at <= ?2"
     " ORDER BY l.due_at, l.order_id LIMIT ?1"}};
constexpr sql::statement put_off_returns{
    access::write,
    "life_put_off_returns",
    "UPDATE order_lives SET due_at = now() + interval '1 minute'"
    " WHERE order_id = ANY($1::uuid[]) AND due_at IS NOT NULL AND order_id IN"
    "   (SELECT id FROM orders WHERE id = ANY($1::uuid[]) AND line = 0"
    "    AND order_status IN (" ENDED_STATES "))",
    {"UPDATE order_lives SET due_at = ?2 + 60000000"
     " WHERE order_id = ?1 AND due_at IS NOT NULL AND EXISTS"
     "   (SELECT 1 FROM orders o WHERE o.id = ?1 AND o.line = 0"
     "    AND o.order_status IN (" ENDED_STATES "))"}};
constexpr sql::statement clear_returns{
    access::write,
    "life_clear_returns",
    "UPDATE order_lives l SET due_at = NULL FROM orders o"
    " WHERE l.order_id = ANY($1::uuid[]) AND o.id = l.order_id AND o.line = 0"
    "   AND o.order_status IN (" ENDED_STATES ")",
    {"UPDATE order_lives SET due_at = NULL WHERE order_id = ?1 AND EXISTS"
     " (SELECT 1 FROM orders o WHERE o.id = ?1 AND o.line = 0"
     "  AND o.order_status IN (" ENDED_STATES "))"}};

// A gate is loaded behind its fence, so what comes before the fence is loaded into it.
constexpr sql::statement clear_returns_of_newest{
    access::write,
    "life_clear_returns_of_newest",
    "UPDATE order_lives l SET due_at = NULL"
    " FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS a (id, shard, epoch)"
    " JOIN orders o ON o.id = a.id AND o.line = 0"
    " WHERE l.order_id = a.id AND o.order_status IN (" ENDED_STATES
    ")"
    "   AND NOT EXISTS (SELECT 1 FROM fences f WHERE f.shard = a.shard AND f.epoch > a.epoch)"
    " RETURNING l.order_id",
    {}};

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
    sql_life_store(std::unique_ptr<sql::session> database, bool fenced)
        : record_(std::move(database)), fenced_(fenced) {}

    result<std::vector<order>> find(std::span<const uuid> ids) override {
        if (ids.empty()) return std::vector<order>{};
        const auto found = record_.rows(find_orders, sql::parameters().uuids(ids));
        if (!found) return std::unexpected(found.error());
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
        return record_.payments(find_payments_by_key, with);
    }

    result<std::vector<payment>> find_succeeded(std::span<const uuid> orders) override {
        if (orders.empty()) return std::vector<payment>{};
        return record_.payments(find_succeeded_payments, sql::parameters().uuids(orders));
    }

    result<std::vector<ended_order>> cancel(std::span<const cancel_request> asked) override {
        if (asked.empty()) return std::vector<ended_order>{};
        sql::parameters with;
        with.uuids(each_of(asked, &cancel_request::order_id));
        with.texts(each_of(asked, &cancel_request::reason));
        with.integers(
            each_of(asked, [](const cancel_request& one) { return std::int64_t{one.restock}; }));
        static const sql::statement compared = cancel_orders.with_postgres(
            faults::without(faults::guard::compare_and_set, cancel_orders.of_postgres(),
                            " AND o.order_status IN ('SUCCESS', 'PENDING')", "")
                .data());
        return record_.ended(compared, with.now());
    }

    result<std::vector<ended_order>> expire(std::size_t orders_max, timestamp from) override {
        return record_.ended(expire_orders, up_to(orders_max).time(from).now());
    }

    result<std::vector<payment>> start_payments(std::span<const payment_request> asked,
                                                currency_code of_balances) override {
        if (asked.empty()) return std::vector<payment>{};
        sql::parameters with;
        with.uuids(each_of(asked, &payment_request::order_id));
        with.uuids(each_of(asked, &payment_request::payment_id));
        with.texts(each_of(asked, &payment_request::idempotency_key));
        with.text(of_balances.text());
        return record_.payments(start_paying, with.now());
    }

    result<void> finish_taken(std::span<const payment> taken) override {
        return finish(finish_paid, taken);
    }
    result<void> finish_declined(std::span<const payment> declined) override {
        return finish(finish_unpaid, declined);
    }
    result<std::vector<payment>> unfinished_payments(std::size_t payments_max) override {
        return record_.payments(find_unfinished, up_to(payments_max).now());
    }

    result<std::vector<ended_order>> returns_due(std::size_t orders_max) override {
        return record_.ended(find_returns_due, up_to(orders_max).now());
    }
    result<bool> returned(std::span<const returned_order> orders) override {
        if (orders.empty()) return true;
        sql::parameters with;
        with.uuids(each_of(orders, &returned_order::id));
        if (!fenced_) {
            const auto done = record_.run(clear_returns, with);
            return done ? result<bool>(true) : std::unexpected(done.error());
        }
        with.integers(each_of(
            orders, [](const returned_order& one) { return std::int64_t{one.id.shard()}; }));
        with.integers(each_of(orders, [](const returned_order& one) {
            return static_cast<std::int64_t>(one.epoch);
        }));
        const auto cleared = record_.rows(clear_returns_of_newest, with);
        if (!cleared) return std::unexpected(cleared.error());
        return cleared->size() == orders.size();
    }
    result<void> put_off(std::span<const uuid> orders) override {
        if (orders.empty()) return {};
        return record_.run(put_off_returns, sql::parameters().uuids(orders).now());
    }

private:
    result<void> finish(const sql::statement& what, std::span<const payment> decided) {
        if (decided.empty()) return {};
        sql::parameters with;
        with.uuids(each_of(decided, &payment::order_id)).uuids(each_of(decided, &payment::id));
        return record_.run(what, with.now());
    }

    sql_reading record_;
    const bool fenced_;
};

}  // namespace

std::unique_ptr<life_store> make_postgres_life_store(postgres::session& database, bool fenced) {
    return std::make_unique<sql_life_store>(sql::make_session(database), fenced);
}

std::unique_ptr<life_store> make_sqlite_life_store(sqlite::database& database) {
    return std::make_unique<sql_life_store>(sql::make_session(database), false);
}

}  // namespace flashsale::order
