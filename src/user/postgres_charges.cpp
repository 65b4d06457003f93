// Charges on PostgreSQL: one transaction for a whole batch, in five statements however large it is.
// The users are locked in the order of their ids, which is what orders all payments of a user, and
// deposits; everything else is read behind that lock. A payment of which another transaction
// decides for another user at the same moment, or an order that another user's payment takes, ends
// in a violation of a key: nothing of the batch happened, and the next call finds that decision.

#include <flashsale/base/fault_points.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/user/module.hpp>

#include <algorithm>

#include "charging.hpp"

namespace flashsale::user {

namespace {

constexpr postgres::statement lock_users{
    "charges_lock_users",
    "SELECT id, balance FROM users WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE"};
constexpr postgres::statement find_decisions{
    "charges_find_decisions",
    "SELECT payment_id, taken FROM charge_decisions WHERE payment_id = ANY($1::uuid[])"};
constexpr postgres::statement find_paid_orders{
    "charges_find_paid_orders",
    "SELECT order_id FROM charge_decisions WHERE order_id = ANY($1::uuid[]) AND taken"};
constexpr postgres::statement insert_decisions{
    "charges_insert_decisions",
    "INSERT INTO charge_decisions (payment_id, order_id, user_id, amount, taken, decided_at)"
    " SELECT payment_id, order_id, user_id, amount, taken <> 0, now()"
    " FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])"
    "   AS b (payment_id, order_id, user_id, amount, taken)"};
const postgres::statement& insert_once() {
    static const postgres::statement insert{
        insert_decisions.name,
        faults::without(faults::guard::one_decision, insert_decisions.sql,
                        "   AS b (payment_id, order_id, user_id, amount, taken)",
                        " AS b (payment_id, order_id, user_id, amount, taken)"
                        " ON CONFLICT (payment_id) DO UPDATE SET taken = excluded.taken")
            .data()};
    return insert;
}
// In the order in which they were decided: a user's entries ascend as the balance changes.
constexpr postgres::statement debit{
    "charges_debit",
    "WITH entries AS ("
    "  INSERT INTO balance_entries (user_id, amount, kind, order_id, payment_id, idempotency_key,"
    "                               balance_after, created_at)"
    "  SELECT user_id, -amount, 'payment', order_id, payment_id, payment_id::text, balance_after,"
    "         clock_timestamp()"
    "  FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[])"
    "    AS b (user_id, amount, order_id, payment_id, balance_after)"
    ") UPDATE users u SET balance = b.balance"
    " FROM unnest($6::bigint[], $7::bigint[]) AS b (id, balance) WHERE u.id = b.id"};

using attempt = std::expected<void, postgres::error>;

std::expected<charging_state, postgres::error> read_state(postgres::session& in,
                                                          std::span<const charge> all) {
    std::vector<std::int64_t> users;
    std::vector<uuid> payments, orders;
    for (const charge& one : all) {
        users.push_back(one.user_id);
        payments.push_back(one.payment_id);
        orders.push_back(one.order_id);
    }
    charging_state out;
    const auto locked = in.execute(lock_users, std::move(postgres::parameters().integers(users)));
    if (!locked) return std::unexpected(locked.error());
    for (std::size_t row = 0; row < locked->size(); ++row)
        out.balances.emplace(locked->integer(row, 0), locked->integer(row, 1));
    const auto decided =
        in.execute(find_decisions, std::move(postgres::parameters().uuids(payments)));
    if (!decided) return std::unexpected(decided.error());
    for (std::size_t row = 0; row < decided->size(); ++row) {
        out.decided.emplace(decided->uuid(row, 0), decided->boolean(row, 1)
                                                       ? charge_decision::taken
                                                       : charge_decision::declined);
    }
    const auto paid = in.execute(find_paid_orders, std::move(postgres::parameters().uuids(orders)));
    if (!paid) return std::unexpected(paid.error());
    for (std::size_t row = 0; row < paid->size(); ++row)
        out.paid_orders.insert(paid->uuid(row, 0));
    return out;
}

attempt write(postgres::session& in, const charging_result& result) {
    if (result.to_write.empty()) return {};
    std::vector<uuid> payments, orders, paying, paid;
    std::vector<std::int64_t> users, amounts, taken, debited, debits, after, changed, balances;
    for (const charging_result::fresh& one : result.to_write) {
        payments.push_back(one.what->payment_id);
        orders.push_back(one.what->order_id);
        users.push_back(one.what->user_id);
        amounts.push_back(one.what->amount);
        taken.push_back(one.decision == charge_decision::taken);
        if (one.decision != charge_decision::taken || one.what->amount == 0) continue;
        debited.push_back(one.what->user_id);
        debits.push_back(one.what->amount);
        paid.push_back(one.what->order_id);
        paying.push_back(one.what->payment_id);
        after.push_back(one.balance_after);
    }
    for (const auto& [user, balance] : result.balances) {
        changed.push_back(user);
        balances.push_back(balance);
    }
    postgres::parameters decisions;
    decisions.uuids(payments).uuids(orders).integers(users).integers(amounts).integers(taken);
    if (const auto done = in.execute(insert_once(), decisions); !done)
        return std::unexpected(done.error());
    if (debited.empty()) return {};
    postgres::parameters money;
    money.integers(debited).integers(debits).uuids(paid).uuids(paying).integers(after);
    money.integers(changed).integers(balances);
    if (const auto done = in.execute(debit, money); !done) return std::unexpected(done.error());
    return {};
}

class postgres_charges final : public charges {
public:
    explicit postgres_charges(postgres::session& database) : database_(database) {}

    std::expected<std::vector<charge_decision>, std::string> decide(
        std::span<const charge> all) override {
        if (all.empty()) return std::vector<charge_decision>{};
        std::vector<charge_decision> out;
        const auto done = database_.transaction([&](postgres::session& in) -> attempt {
            auto state = read_state(in, all);
            if (!state) return std::unexpected(state.error());
            auto result = decide_charges(all, std::move(*state));
            if (auto written = write(in, result); !written) return written;
            out = std::move(result.decisions);
            return {};
        });
        if (!done) return std::unexpected(done.error().message);
        return out;
    }

private:
    postgres::session& database_;
};

}  // namespace

std::unique_ptr<charges> make_postgres_charges(postgres::session& database) {
    return std::make_unique<postgres_charges>(database);
}

}  // namespace flashsale::user
