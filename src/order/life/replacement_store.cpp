// Orders that late money buys again, on either database.

#include <flashsale/order/replacement.hpp>
#include <flashsale/sql.hpp>

#include "sql_reading.hpp"

namespace flashsale::order {

namespace {

using sql::access;

#define LATE_PAYMENTS                                                              \
    "SELECT " PAYMENT_COLUMNS_OF(                                                  \
        "p.") ", l.due_at IS NULL, " ORDER_COLUMNS                                 \
              " FROM payments p JOIN orders o ON o.id = p.order_id AND o.line = 0" \
              " JOIN order_lives l ON l.order_id = o.id WHERE p.state = 'placing' AND p.id"
constexpr sql::statement find_late{access::read,
                                   "replacement_find_late",
                                   LATE_PAYMENTS " = ANY($1::uuid[])",
                                   {LATE_PAYMENTS " = ?1"}};
#undef LATE_PAYMENTS

// The payment is locked too: another process may be giving it up.
constexpr sql::statement pay_replacements{
    access::write,
    "replacement_pay",
    "WITH locked AS ("
    "  SELECT o.id, p.id AS payment_id, p.order_id AS old_id, w.unit_price, w.currency, a.reason"
    "  FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS a (payment_id, order_id, reason)"
    "  JOIN payments p ON p.id = a.payment_id"
    "  JOIN orders w ON w.id = p.order_id AND w.line = 0"
    "  JOIN orders o ON o.id = a.order_id AND o.line = 0"
    "  JOIN order_lives l ON l.order_id = o.id"
    "  WHERE p.state = 'placing' AND o.order_status = 'PENDING' AND l.expires_at > now()"
    "    AND o.user_id = w.user_id AND o.product_id = w.product_id AND o.quantity = w.quantity"
    "  ORDER BY o.id FOR UPDATE OF o, l, p"
    "), changed AS ("
    "  UPDATE orders o SET order_status = 'PAID', unit_price = k.unit_price,"
    "                      currency = k.currency"
    "  FROM locked k WHERE o.id = k.id AND o.line = 0"
    "), lives AS ("
    "  UPDATE order_lives l SET status_since = now(), due_at = NULL, payment_id = k.payment_id"
    "  FROM locked k WHERE l.order_id = k.id"
    "), noted AS ("
    "  INSERT INTO order_changes (order_id, from_status, to_status, reason, changed_at)"
    "  SELECT id, 'PENDING', 'PAID', reason, now() FROM locked"
    ") UPDATE payments p SET state = 'succeeded', decided_at = now(), replaces = k.old_id,"
    "                        order_id = k.id"
    " FROM locked k WHERE p.id = k.payment_id",
#define OLD "(SELECT order_id FROM payments WHERE id = ?1)"
    {"INSERT INTO order_changes (order_id, from_status, to_status, reason, changed_at)"
     " SELECT o.id, 'PENDING', 'PAID', ?3, ?4 FROM payments p"
     " JOIN orders w ON w.id = p.order_id AND w.line = 0"
     " JOIN orders o ON o.id = ?2 AND o.line = 0 JOIN order_lives l ON l.order_id = o.id"
     " WHERE p.id = ?1 AND p.state = 'placing' AND o.order_status = 'PENDING'"
     "   AND l.expires_at > ?4 AND o.user_id = w.user_id AND o.product_id = w.product_id"
     "   AND o.quantity = w.quantity",
     "UPDATE orders SET order_status = 'PAID',"
     "   unit_price = (SELECT unit_price FROM orders WHERE id = " OLD " AND line = 0),"
     "   currency = (SELECT currency FROM orders WHERE id = " OLD " AND line = 0)"
     " WHERE id = ?2 AND line = 0 AND changes() = 1",
     "UPDATE order_lives SET status_since = ?4, due_at = NULL, payment_id = ?1"
     " WHERE order_id = ?2 AND changes() = 1",
     "UPDATE payments SET state = 'succeeded', decided_at = ?4, replaces = order_id, order_id = ?2"
     " WHERE id = ?1 AND changes() = 1"}};
#undef OLD

constexpr sql::statement give_up_placing{
    access::write,
    "replacement_give_up",
    "WITH refused AS ("
    "  SELECT p.*, a.refund_id FROM unnest($1::uuid[], $2::uuid[]) AS a (payment_id, refund_id)"
    "  JOIN payments p ON p.id = a.payment_id WHERE p.state = 'placing'"
    "  ORDER BY p.order_id, p.id FOR UPDATE OF p"
    "), due AS ("
    "  INSERT INTO refunds (id, payment_id, order_id, user_id, method, amount, currency, state,"
    "                       reason, created_at)"
    "  SELECT refund_id, id, order_id, user_id, method, amount, currency, 'pending',"
    "         'payment_too_late', now() FROM refused"
    ") UPDATE payments p SET state = 'refund_due', reason = 'payment_too_late', decided_at = now()"
    " FROM refused r WHERE p.id = r.id",
    {"INSERT INTO refunds (id, payment_id, order_id, user_id, method, amount, currency, state,"
     "                     reason, created_at)"
     " SELECT ?2, id, order_id, user_id, method, amount, currency, 'pending', 'payment_too_late',"
     "        ?3 FROM payments WHERE id = ?1 AND state = 'placing'",
     "UPDATE payments SET state = 'refund_due', reason = 'payment_too_late', decided_at = ?3"
     " WHERE id = ?1 AND changes() = 1"}};

class sql_replacement_store final : public replacement_store {
public:
    explicit sql_replacement_store(std::unique_ptr<sql::session> database)
        : record_(std::move(database)) {}

    result<std::vector<late_payment>> late(std::span<const uuid> payments) override {
        std::vector<late_payment> out;
        if (payments.empty()) return out;
        const auto found = record_.rows(find_late, sql::parameters().uuids(payments));
        if (!found) return std::unexpected(found.error());
        for (std::size_t row = 0; row < found->size(); ++row) {
            out.push_back({read_payment(*found, row), read_order(*found, row, payment_columns + 1),
                           found->boolean(row, payment_columns)});
        }
        return out;
    }

    result<void> pay(std::span<const replacement> by) override {
        if (by.empty()) return {};
        std::vector<uuid> payments, orders;
        std::vector<std::string> reasons;
        for (const replacement& one : by) {
            payments.push_back(one.payment_id);
            orders.push_back(one.order_id);
            reasons.push_back("it replaces " + one.old_id.to_string());
        }
        sql::parameters with;
        with.uuids(payments).uuids(orders).texts(reasons);
        return record_.run(pay_replacements, with.now());
    }

    result<void> give_up(std::span<const uuid> payments, std::span<const uuid> refunds) override {
        if (payments.empty()) return {};
        sql::parameters with;
        with.uuids(payments).uuids(refunds);
        return record_.run(give_up_placing, with.now());
    }

private:
    sql_reading record_;
};

}  // namespace

std::unique_ptr<replacement_store> make_postgres_replacement_store(postgres::session& database) {
    return std::make_unique<sql_replacement_store>(sql::make_session(database));
}

std::unique_ptr<replacement_store> make_sqlite_replacement_store(sqlite::database& database) {
    return std::make_unique<sql_replacement_store>(sql::make_session(database));
}

}  // namespace flashsale::order
