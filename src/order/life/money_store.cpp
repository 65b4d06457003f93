// Money from outside, and refunds, on either database. What locks many rows locks them by order,
// and an order before its payments.

#include <flashsale/order/money.hpp>
#include <flashsale/sql.hpp>

#include "sql_reading.hpp"

namespace flashsale::order {

namespace {

using sql::access;

constexpr sql::statement receive_payments{
    access::write,
    "money_receive",
    "INSERT INTO payments AS p (id, order_id, user_id, method, amount, currency, state,"
    "                           idempotency_key, reference, created_at, received_at)"
    " SELECT a.payment_id, o.id, o.user_id, 'external', a.amount, o.currency, 'started',"
    "        a.key, a.reference, now(), CASE WHEN a.announced = 0 THEN now() END"
    " FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::text[])"
    "   AS a (order_id, payment_id, reference, amount, announced, key)"
    " JOIN orders o ON o.id = a.order_id AND o.line = 0"
    " LEFT JOIN order_lives l ON l.order_id = o.id"
    " WHERE a.announced = 0"
    "    OR (o.order_status IN ('PENDING', 'PAYING') AND l.expires_at > now())"
    " ORDER BY a.order_id"
    " ON CONFLICT (reference) DO UPDATE SET received_at = excluded.received_at,"
    "   amount = excluded.amount"
    "   WHERE p.received_at IS NULL AND excluded.received_at IS NOT NULL AND p.state = 'started'"
    "     AND p.order_id = excluded.order_id",
    {"INSERT INTO payments AS p (id, order_id, user_id, method, amount, currency, state,"
     "                           idempotency_key, reference, created_at, received_at)"
     " SELECT ?2, o.id, o.user_id, 'external', ?4, o.currency, 'started',"
     "        ?6, ?3, ?7, CASE WHEN ?5 = 0 THEN ?7 END"
     " FROM orders o LEFT JOIN order_lives l ON l.order_id = o.id"
     " WHERE o.id = ?1 AND o.line = 0"
     "   AND (?5 = 0 OR (o.order_status IN ('PENDING', 'PAYING') AND l.expires_at > ?7))"
     " ON CONFLICT (reference) DO UPDATE SET received_at = excluded.received_at,"
     "   amount = excluded.amount"
     "   WHERE p.received_at IS NULL AND excluded.received_at IS NOT NULL AND p.state = 'started'"
     "     AND p.order_id = excluded.order_id"}};

constexpr sql::statement find_by_reference{
    access::read,
    "money_find_by_reference",
    "SELECT " PAYMENT_COLUMNS_OF("") " FROM payments WHERE reference = ANY($1::text[])",
    {"SELECT " PAYMENT_COLUMNS_OF("") " FROM payments WHERE reference = ?1"}};
constexpr sql::statement find_payments{
    access::read,
    "money_find",
    "SELECT " PAYMENT_COLUMNS_OF("") " FROM payments WHERE id = ANY($1::uuid[])",
    {"SELECT " PAYMENT_COLUMNS_OF("") " FROM payments WHERE id = ?1"}};

constexpr sql::statement put_off_end{
    access::write,
    "money_put_off_end",
    "WITH held AS ("
    "  SELECT o.id FROM orders o JOIN order_lives l ON l.order_id = o.id AND o.line = 0"
    "  WHERE o.id = ANY($1::uuid[]) AND o.order_status = 'PENDING' AND l.expires_at > now()"
    "    AND NOT l.extended"
    "  ORDER BY o.id FOR UPDATE OF o, l"
    ") UPDATE order_lives l SET extended = true,"
    "    expires_at = l.expires_at + $2 * interval '1 second',"
    "    due_at = l.expires_at + $2 * interval '1 second'"
    " FROM held h WHERE l.order_id = h.id",
    {"UPDATE order_lives SET extended = 1, expires_at = expires_at + ?2 * 1000000,"
     "                       due_at = expires_at + ?2 * 1000000"
     " WHERE order_id = ?1 AND extended = 0 AND expires_at > ?3 AND EXISTS"
     "   (SELECT 1 FROM orders WHERE id = ?1 AND line = 0 AND order_status = 'PENDING')"}};

// Of which order one may say so without its lock: nothing becomes payable again, and a total never
// changes. Late is money for a hold that has ended by itself, or by its buyer; that is asked for at
// the gate first.
#define TOO_LATE                                                   \
    "(o.order_status = 'EXPIRED' OR (o.order_status = 'CANCELLED'" \
    "   AND coalesce(l.restock, false) AND l.payment_window_s IS NOT NULL))"
#define REASON \
    "CASE WHEN p.amount <> " ORDER_TOTAL " THEN 'amount_mismatch' ELSE 'order_not_payable' END"
#define IS_HERE "p.state = 'started' AND p.received_at IS NOT NULL"
#define IS_REFUSED                           \
    IS_HERE " AND (p.amount <> " ORDER_TOTAL \
            " OR (o.order_status NOT IN ('PENDING', 'PAYING') AND NOT " TOO_LATE "))"
constexpr sql::statement refuse_payments{
    access::write,
    "money_refuse",
    "WITH refused AS ("
    "  SELECT p.*, a.refund_id, " REASON
    " AS why"
    "  FROM unnest($1::uuid[], $2::uuid[]) AS a (payment_id, refund_id)"
    "  JOIN payments p ON p.id = a.payment_id"
    "  JOIN orders o ON o.id = p.order_id AND o.line = 0"
    "  LEFT JOIN order_lives l ON l.order_id = o.id"
    "  WHERE " IS_REFUSED
    "  ORDER BY p.order_id, p.id FOR UPDATE OF p"
    "), due AS ("
    "  INSERT INTO refunds (id, payment_id, order_id, user_id, method, amount, currency, state,"
    "                       reason, created_at)"
    "  SELECT refund_id, id, order_id, user_id, method, amount, currency, 'pending', why, now()"
    "  FROM refused"
    ") UPDATE payments p SET state = 'refund_due', reason = r.why, decided_at = now()"
    " FROM refused r WHERE p.id = r.id",
    {"INSERT INTO refunds (id, payment_id, order_id, user_id, method, amount, currency, state,"
     "                     reason, created_at)"
     " SELECT ?2, p.id, p.order_id, p.user_id, p.method, p.amount, p.currency, 'pending', " REASON
     ", ?3 FROM payments p JOIN orders o ON o.id = p.order_id AND o.line = 0"
     " LEFT JOIN order_lives l ON l.order_id = o.id WHERE p.id = ?1 AND " IS_REFUSED,
     "UPDATE payments SET state = 'refund_due', decided_at = ?3,"
     "                    reason = (SELECT reason FROM refunds WHERE id = ?2)"
     " WHERE id = ?1 AND changes() = 1"}};
constexpr sql::statement begin_placing{
    access::write,
    "money_begin_placing",
    "WITH late AS ("
    "  SELECT p.id FROM unnest($1::uuid[]) AS a (payment_id) JOIN payments p ON p.id = a.payment_id"
    "  JOIN orders o ON o.id = p.order_id AND o.line = 0"
    "  JOIN order_lives l ON l.order_id = o.id"
    "  WHERE " IS_HERE " AND p.amount = " ORDER_TOTAL " AND " TOO_LATE
    "  ORDER BY p.order_id, p.id FOR UPDATE OF p"
    ") UPDATE payments p SET state = 'placing' FROM late WHERE p.id = late.id",
    {"UPDATE payments SET state = 'placing' WHERE id IN"
     " (SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id AND o.line = 0"
     "  JOIN order_lives l ON l.order_id = o.id"
     "  WHERE p.id = ?1 AND " IS_HERE " AND p.amount = " ORDER_TOTAL " AND " TOO_LATE ")"}};
#undef IS_REFUSED
#undef IS_HERE
#undef REASON
#undef TOO_LATE

constexpr sql::statement use_payments{
    access::write,
    "money_use",
    "WITH asked AS (SELECT unnest($1::uuid[]) AS id), locked AS ("
    "  SELECT o.id, p.id AS payment_id FROM asked a JOIN payments p ON p.id = a.id"
    "  JOIN orders o ON o.id = p.order_id AND o.line = 0"
    "  JOIN order_lives l ON l.order_id = o.id"
    "  WHERE p.state = 'started' AND p.received_at IS NOT NULL AND p.amount = " ORDER_TOTAL
    "    AND o.order_status = 'PENDING' AND l.expires_at > now()"
    "    AND NOT EXISTS (SELECT 1 FROM asked b JOIN payments q ON q.id = b.id"
    "                    WHERE q.order_id = p.order_id AND q.amount = p.amount AND q.id < p.id"
    "                      AND q.state = 'started' AND q.received_at IS NOT NULL)"
    "  ORDER BY o.id FOR UPDATE OF o, l, p"
    "), changed AS ("
    "  UPDATE orders o SET order_status = 'PAID' FROM locked k WHERE o.id = k.id AND o.line = 0"
    "), lives AS ("
    "  UPDATE order_lives l SET status_since = now(), due_at = NULL, payment_id = k.payment_id"
    "  FROM locked k WHERE l.order_id = k.id"
    "), noted AS ("
    "  INSERT INTO order_changes (order_id, from_status, to_status, changed_at)"
    "  SELECT id, 'PENDING', 'PAID', now() FROM locked"
    ") UPDATE payments p SET state = 'succeeded', decided_at = now()"
    " FROM locked k WHERE p.id = k.payment_id",
#define ITS_ORDER "(SELECT order_id FROM payments WHERE id = ?1)"
    {"INSERT INTO order_changes (order_id, from_status, to_status, changed_at)"
     " SELECT o.id, 'PENDING', 'PAID', ?2 FROM payments p"
     " JOIN orders o ON o.id = p.order_id AND o.line = 0"
     " JOIN order_lives l ON l.order_id = o.id"
     " WHERE p.id = ?1 AND p.state = 'started' AND p.received_at IS NOT NULL"
     "   AND p.amount = " ORDER_TOTAL " AND o.order_status = 'PENDING' AND l.expires_at > ?2",
     "UPDATE orders SET order_status = 'PAID' WHERE id = " ITS_ORDER
     " AND line = 0 AND changes() = 1",
     "UPDATE order_lives SET status_since = ?2, due_at = NULL, payment_id = ?1"
     " WHERE order_id = " ITS_ORDER " AND changes() = 1",
     "UPDATE payments SET state = 'succeeded', decided_at = ?2 WHERE id = ?1 AND changes() = 1"}};
#undef ITS_ORDER

// `started` before `placing`, which may wait for a gate for long.
constexpr sql::statement find_undecided{
    access::read,
    "money_find_undecided",
    "SELECT " PAYMENT_COLUMNS_OF(
        "") " FROM payments WHERE decided_at IS NULL AND received_at <= now() - interval '1 second'"
            " ORDER BY state DESC, received_at LIMIT $1",
    {"SELECT " PAYMENT_COLUMNS_OF(
        "") " FROM payments WHERE decided_at IS NULL AND received_at <= ?2 - 1000000"
            " ORDER BY state DESC, received_at LIMIT ?1"}};

constexpr sql::statement refund_paid{
    access::write,
    "money_refund",
    "WITH was AS ("
    "  SELECT o.id, l.payment_id, a.refund_id, a.reason, a.restock <> 0 AS restock"
    "  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[])"
    "    AS a (id, refund_id, reason, restock)"
    "  JOIN orders o ON o.id = a.id AND o.line = 0 JOIN order_lives l ON l.order_id = o.id"
    "  WHERE o.order_status = 'PAID' ORDER BY o.id FOR UPDATE OF o, l"
    "), noted AS ("
    "  INSERT INTO order_changes (order_id, from_status, to_status, reason, changed_at)"
    "  SELECT id, 'PAID', 'REFUNDED', nullif(reason, ''), now() FROM was"
    "), due AS ("
    "  INSERT INTO refunds (id, payment_id, order_id, user_id, method, amount, currency, state,"
    "                       reason, created_at, due_at)"
    "  SELECT w.refund_id, p.id, p.order_id, p.user_id, p.method, p.amount, p.currency, 'pending',"
    "         nullif(w.reason, ''), now(),"
    "         CASE WHEN p.method = 'balance' THEN now() + interval '1 second' END"
    "  FROM was w JOIN payments p ON p.id = w.payment_id"
    "), money AS ("
    "  UPDATE payments p SET state = 'refund_due', reason = 'order_refunded' FROM was w"
    "  WHERE p.id = w.payment_id"
    "), l AS ("
    "  UPDATE order_lives e SET status_since = now(), restock = w.restock,"
    "                           due_at = now() + interval '1 second'"
    "  FROM was w WHERE e.order_id = w.id RETURNING e.*"
    ") UPDATE orders o SET order_status = 'REFUNDED'"
    " FROM l WHERE o.id = l.order_id AND o.line = 0 RETURNING " ENDED_COLUMNS,
    {"INSERT INTO order_changes (order_id, from_status, to_status, reason, changed_at)"
     " SELECT id, 'PAID', 'REFUNDED', nullif(?3, ''), ?5 FROM orders"
     " WHERE id = ?1 AND line = 0 AND order_status = 'PAID'",
     "INSERT INTO refunds (id, payment_id, order_id, user_id, method, amount, currency, state,"
     "                     reason, created_at, due_at)"
     " SELECT ?2, p.id, p.order_id, p.user_id, p.method, p.amount, p.currency, 'pending',"
     "        nullif(?3, ''), ?5, CASE WHEN p.method = 'balance' THEN ?5 + 1000000 END"
     " FROM order_lives l JOIN payments p ON p.id = l.payment_id"
     " WHERE l.order_id = ?1 AND changes() = 1",
     "UPDATE payments SET state = 'refund_due', reason = 'order_refunded'"
     " WHERE id = (SELECT payment_id FROM order_lives WHERE order_id = ?1) AND changes() = 1",
     "UPDATE order_lives SET status_since = ?5, restock = ?4, due_at = ?5 + 1000000"
     " WHERE order_id = ?1 AND changes() = 1",
     "UPDATE orders SET order_status = 'REFUNDED' WHERE id = ?1 AND line = 0 AND changes() = 1",
     "SELECT " ENDED_COLUMNS " FROM " HEADS_AND_LIVES " WHERE o.id = ?1 AND changes() = 1"}};

constexpr sql::statement find_refunds{
    access::read,
    "money_find_refunds",
    "SELECT " REFUND_COLUMNS_OF(
        "r.") " FROM order_lives l JOIN refunds r ON r.payment_id = l.payment_id"
              " WHERE l.order_id = ANY($1::uuid[])",
    {"SELECT " REFUND_COLUMNS_OF(
        "r.") " FROM order_lives l JOIN refunds r ON r.payment_id = l.payment_id"
              " WHERE l.order_id = ?1"}};
constexpr sql::statement find_refunds_due{
    access::read,
    "money_find_refunds_due",
    "SELECT " REFUND_COLUMNS_OF("") " FROM refunds WHERE due_at <= now() ORDER BY due_at LIMIT $1",
    {"SELECT " REFUND_COLUMNS_OF("") " FROM refunds WHERE due_at <= ?2 ORDER BY due_at LIMIT ?1"}};
constexpr sql::statement finish_refunds{
    access::write,
    "money_finish_refunds",
    "WITH pending AS ("
    "  SELECT id FROM refunds WHERE id = ANY($1::uuid[]) AND state = 'pending'"
    "    AND method = 'balance' ORDER BY order_id, id FOR UPDATE"
    "), done AS ("
    "  UPDATE refunds r SET state = 'succeeded', done_at = now(), due_at = NULL FROM pending d"
    "  WHERE r.id = d.id RETURNING r.payment_id"
    ") UPDATE payments p SET state = 'refunded' FROM done d WHERE p.id = d.payment_id",
    {"UPDATE refunds SET state = 'succeeded', done_at = ?2, due_at = NULL"
     " WHERE id = ?1 AND state = 'pending' AND method = 'balance'",
     "UPDATE payments SET state = 'refunded'"
     " WHERE id = (SELECT payment_id FROM refunds WHERE id = ?1) AND changes() = 1"}};
constexpr sql::statement put_off_refunds{
    access::write,
    "money_put_off_refunds",
    "UPDATE refunds SET due_at = now() + interval '1 minute'"
    " WHERE id = ANY($1::uuid[]) AND due_at IS NOT NULL",
    {"UPDATE refunds SET due_at = ?2 + 60000000 WHERE id = ?1 AND due_at IS NOT NULL"}};

class sql_money_store final : public money_store {
public:
    explicit sql_money_store(std::unique_ptr<sql::session> database)
        : record_(std::move(database)) {}

    result<std::vector<payment>> receive(std::span<const told_payment> told,
                                         std::chrono::seconds grace) override {
        if (told.empty()) return std::vector<payment>{};
        std::vector<uuid> orders, payments, announced;
        std::vector<std::string> references, keys;
        std::vector<std::int64_t> amounts, only_announced;
        for (const told_payment& one : told) {
            orders.push_back(one.order_id);
            payments.push_back(one.payment_id);
            references.push_back(one.reference);
            keys.push_back("external " + one.payment_id.to_string());  // no client can send a space
            amounts.push_back(one.amount);
            only_announced.push_back(one.announced);
        }
        sql::parameters with;
        with.uuids(orders).uuids(payments).texts(references).integers(amounts);
        with.integers(only_announced).texts(keys);
        if (const auto done = record_.run(receive_payments, with.now()); !done)
            return std::unexpected(done.error());
        auto known = record_.payments(find_by_reference, sql::parameters().texts(references));
        if (!known) return known;
        for (const payment& one : *known) {
            if (!one.received_at && one.state == payment_state::started)
                announced.push_back(one.order_id);
        }
        if (announced.empty() || grace.count() == 0) return known;
        sql::parameters until;
        until.uuids(announced).integer(grace.count());
        if (const auto done = record_.run(put_off_end, until.now()); !done)
            return std::unexpected(done.error());
        return known;
    }

    result<void> refuse_received(std::span<const uuid> payments,
                                 std::span<const uuid> refunds) override {
        if (payments.empty()) return {};
        sql::parameters with;
        with.uuids(payments).uuids(refunds);
        if (auto refused = record_.run(refuse_payments, with.now()); !refused) return refused;
        return record_.run(begin_placing, sql::parameters().uuids(payments));
    }
    result<void> use_received(std::span<const uuid> payments) override {
        if (payments.empty()) return {};
        return record_.run(use_payments, sql::parameters().uuids(payments).now());
    }
    result<std::vector<payment>> find(std::span<const uuid> payments) override {
        if (payments.empty()) return std::vector<payment>{};
        return record_.payments(find_payments, sql::parameters().uuids(payments));
    }
    result<std::vector<payment>> received_undecided(std::size_t payments_max) override {
        return record_.payments(find_undecided, up_to(payments_max).now());
    }

    result<std::vector<ended_order>> refund_orders(std::span<const refund_request> asked) override {
        if (asked.empty()) return std::vector<ended_order>{};
        std::vector<uuid> orders, refunds;
        std::vector<std::string> reasons;
        std::vector<std::int64_t> restock;
        for (const refund_request& one : asked) {
            orders.push_back(one.order_id);
            refunds.push_back(one.refund_id);
            reasons.push_back(one.reason);
            restock.push_back(one.restock);
        }
        sql::parameters with;
        with.uuids(orders).uuids(refunds).texts(reasons).integers(restock);
        return record_.ended(refund_paid, with.now());
    }
    result<std::vector<refund>> refunds_of(std::span<const uuid> orders) override {
        if (orders.empty()) return std::vector<refund>{};
        return record_.refunds(find_refunds, sql::parameters().uuids(orders));
    }
    result<std::vector<refund>> refunds_due(std::size_t refunds_max) override {
        return record_.refunds(find_refunds_due, up_to(refunds_max).now());
    }
    result<void> given_back(std::span<const uuid> refunds) override {
        if (refunds.empty()) return {};
        return record_.run(finish_refunds, sql::parameters().uuids(refunds).now());
    }
    result<void> put_off(std::span<const uuid> refunds) override {
        if (refunds.empty()) return {};
        return record_.run(put_off_refunds, sql::parameters().uuids(refunds).now());
    }

private:
    sql_reading record_;
};

}  // namespace

std::unique_ptr<money_store> make_postgres_money_store(postgres::session& database) {
    return std::make_unique<sql_money_store>(sql::make_session(database));
}

std::unique_ptr<money_store> make_sqlite_money_store(sqlite::database& database) {
    return std::make_unique<sql_money_store>(sql::make_session(database));
}

}  // namespace flashsale::order
