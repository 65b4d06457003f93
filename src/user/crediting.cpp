// Refunds to balances, on either database: one statement for a whole batch. The users are locked in
// the order of their ids, as charges and deposits lock them. A refund that another transaction
// gives back at the same moment ends in a violation of its entry's key: nothing of the batch
// happened, and the next call finds that entry.

#include <flashsale/sql.hpp>
#include <flashsale/user/module.hpp>

namespace flashsale::user {

namespace {

constexpr sql::statement give_back_each{
    sql::access::write,
    "credits_give_back",
    "WITH asked AS ("
    "  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[],"
    "                       $6::text[]) WITH ORDINALITY"
    "    AS a (refund_id, payment_id, order_id, user_id, amount, key, place)"
    "), known AS ("
    "  SELECT a.refund_id FROM asked a"
    "  JOIN balance_entries e ON e.user_id = a.user_id AND e.kind = 'refund'"
    "    AND e.idempotency_key = a.key"
    "), locked AS ("
    "  SELECT id, balance FROM users WHERE id IN (SELECT user_id FROM asked)"
    "  ORDER BY id FOR UPDATE"
    "), fresh AS ("
    "  SELECT * FROM ("
    "    SELECT a.*, l.balance + sum(a.amount) OVER (PARTITION BY a.user_id ORDER BY a.place)"
    "             AS balance_after"
    "    FROM asked a JOIN locked l ON l.id = a.user_id"
    "    WHERE a.amount > 0 AND a.refund_id NOT IN (SELECT refund_id FROM known)"
    "      AND EXISTS (SELECT 1 FROM charge_decisions d WHERE d.payment_id = a.payment_id"
    "                  AND d.taken AND d.user_id = a.user_id AND d.amount = a.amount)"
    "  ) f WHERE balance_after <= 4611686018427387904"
    "), entries AS ("
    "  INSERT INTO balance_entries (user_id, amount, kind, order_id, payment_id, idempotency_key,"
    "                               balance_after, created_at)"
    "  SELECT user_id, amount, 'refund', order_id, payment_id, key, balance_after,"
    "         clock_timestamp()"
    "  FROM fresh ORDER BY user_id, place"
    "), changed AS ("
    "  UPDATE users u SET balance = u.balance + s.amount"
    "  FROM (SELECT user_id, sum(amount)::bigint AS amount FROM fresh GROUP BY user_id) s"
    "  WHERE u.id = s.user_id"
    ") SELECT refund_id FROM known UNION SELECT refund_id FROM fresh"
    "  UNION SELECT refund_id FROM asked WHERE amount = 0",
#define HAS_ENTRY                                                                  \
    "EXISTS (SELECT 1 FROM balance_entries WHERE user_id = ?4 AND kind = 'refund'" \
    " AND idempotency_key = ?6)"
    {"INSERT INTO balance_entries (user_id, amount, kind, order_id, payment_id, idempotency_key,"
     "                             balance_after, created_at)"
     " SELECT ?4, ?5, 'refund', ?3, ?2, ?6, balance + ?5, ?7 FROM users"
     " WHERE id = ?4 AND ?5 > 0 AND balance <= 4611686018427387904 - ?5 AND NOT " HAS_ENTRY
     "   AND EXISTS (SELECT 1 FROM charge_decisions d WHERE d.payment_id = ?2 AND d.taken"
     "               AND d.user_id = ?4 AND d.amount = ?5)",
     "UPDATE users SET balance = balance + ?5 WHERE id = ?4 AND changes() = 1",
     "SELECT ?1 WHERE ?5 = 0 OR " HAS_ENTRY}};
#undef HAS_ENTRY

class sql_credits final : public credits {
public:
    explicit sql_credits(std::unique_ptr<sql::session> database) : database_(std::move(database)) {}

    std::expected<std::vector<uuid>, std::string> give_back(std::span<const credit> all) override {
        std::vector<uuid> out, refunds, payments, orders;
        if (all.empty()) return out;
        std::vector<std::int64_t> users, amounts;
        std::vector<std::string> keys;
        for (const credit& one : all) {
            refunds.push_back(one.refund_id);
            payments.push_back(one.payment_id);
            orders.push_back(one.order_id);
            users.push_back(one.user_id);
            amounts.push_back(one.amount);
            keys.push_back(one.refund_id.to_string());
        }
        sql::parameters with;
        with.uuids(refunds).uuids(payments).uuids(orders).integers(users).integers(amounts);
        const auto done = database_->execute(give_back_each, with.texts(keys).now());
        if (!done) return std::unexpected(done.error().message);
        for (std::size_t row = 0; row < done->size(); ++row)
            out.push_back(done->uuid(row, 0));
        return out;
    }

private:
    const std::unique_ptr<sql::session> database_;
};

}  // namespace

std::unique_ptr<credits> make_postgres_credits(postgres::session& database) {
    return std::make_unique<sql_credits>(sql::make_session(database));
}

std::unique_ptr<credits> make_sqlite_credits(sqlite::database& database) {
    return std::make_unique<sql_credits>(sql::make_session(database));
}

}  // namespace flashsale::user
