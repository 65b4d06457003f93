// A batch is three statements in one transaction. The first locks the payers, so the second, whose
// snapshot is younger, sees each decision that was ever made of their payments, and no balance
// changes before the third is committed. What no payer's lock keeps apart (a payment of a user that
// does not exist, or one id or order under two users) the unique keys do: the later one is rolled
// back, and the batch done again, which then reads what the other one wrote.

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include <flashsale/postgres.hpp>
#include <flashsale/user/module.hpp>

#include "charging.hpp"

namespace flashsale::user {

namespace {

// In the order of the ids, as everything that locks several users does.
constexpr postgres::statement lock_payers{
    "lock_payers",
    "SELECT id, balance FROM users WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE"};
// The inner order makes each look-up a walk along the index, whatever the planner thinks of the
// table's size, which may be that of an hour ago.
constexpr postgres::statement read_decisions{
    "read_decisions",
    "SELECT false AS paid, found.id, found.taken FROM unnest($1::uuid[]) AS asked(id), LATERAL"
    "  (SELECT payment_id AS id, taken FROM charge_decisions WHERE payment_id = asked.id"
    "   ORDER BY payment_id LIMIT 1) AS found"
    " UNION ALL"
    " SELECT true, found.id, true FROM unnest($2::uuid[]) AS asked(id), LATERAL"
    "  (SELECT order_id AS id FROM charge_decisions WHERE order_id = asked.id AND taken"
    "   ORDER BY order_id LIMIT 1) AS found"};
// A balance of -1 is that of a declined one. Decisions go in by their ids, so that two batches that
// share some wait for each other and do not lock; entries in the order in which balances change.
constexpr postgres::statement write_decisions{
    "write_decisions",
    "WITH fresh AS ("
    "  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])"
    "    WITH ORDINALITY AS b (payment_id, order_id, user_id, amount, balance_after, place)"
    "), decided AS ("
    "  INSERT INTO charge_decisions (payment_id, order_id, user_id, amount, taken, decided_at)"
    "  SELECT payment_id, order_id, user_id, amount, balance_after >= 0, clock_timestamp()"
    "  FROM fresh ORDER BY payment_id"
    "), entered AS ("
    "  INSERT INTO balance_entries (user_id, amount, kind, order_id, payment_id, idempotency_key,"
    "                               balance_after, created_at)"
    "  SELECT user_id, -amount, 'payment', order_id, payment_id, payment_id::text, balance_after,"
    "         clock_timestamp()"
    "  FROM fresh WHERE balance_after >= 0 AND amount > 0 ORDER BY place"
    "  RETURNING user_id, amount"
    "), spent AS ("
    "  SELECT user_id, CAST(sum(amount) AS bigint) AS amount FROM entered GROUP BY user_id"
    ") UPDATE users SET balance = users.balance + spent.amount"
    "  FROM spent WHERE users.id = spent.user_id"};

using attempt = std::expected<void, postgres::error>;

/// Each try reads anew; who keeps losing to others asks later.
constexpr int tries_max = 3;

template <class T>
std::vector<T> sorted_once(std::span<const charge> all, T charge::*member) {
    std::vector<T> out;
    out.reserve(all.size());
    for (const charge& one : all)
        out.push_back(one.*member);
    std::ranges::sort(out);
    const auto repeated = std::ranges::unique(out);
    out.erase(repeated.begin(), repeated.end());
    return out;
}

std::expected<charging_record, postgres::error> read_locked(postgres::session& in,
                                                            std::span<const charge> all) {
    charging_record out;
    const auto payers = in.execute(
        lock_payers, postgres::parameters().integers(sorted_once(all, &charge::user_id)));
    if (!payers) return std::unexpected(payers.error());
    for (std::size_t row = 0; row < payers->size(); ++row)
        out.balances.emplace(payers->integer(row, 0), payers->integer(row, 1));

    postgres::parameters with;
    with.uuids(sorted_once(all, &charge::payment_id)).uuids(sorted_once(all, &charge::order_id));
    const auto found = in.execute(read_decisions, with);
    if (!found) return std::unexpected(found.error());
    for (std::size_t row = 0; row < found->size(); ++row) {
        if (found->boolean(row, 0)) {
            out.paid_orders.insert(found->uuid(row, 1));
        } else {
            out.decided.emplace(found->uuid(row, 1), found->boolean(row, 2));
        }
    }
    return out;
}

attempt write(postgres::session& in, std::span<const new_decision> fresh) {
    std::vector<uuid> payments, orders;
    std::vector<std::int64_t> users, amounts, balances;
    for (const new_decision& one : fresh) {
        payments.push_back(one.what.payment_id);
        orders.push_back(one.what.order_id);
        users.push_back(one.what.user_id);
        amounts.push_back(one.what.amount);
        balances.push_back(one.balance_after.value_or(-1));
    }
    postgres::parameters with;
    with.uuids(payments).uuids(orders).integers(users).integers(amounts).integers(balances);
    const auto done = in.execute(write_decisions, with);
    if (!done) return std::unexpected(done.error());
    return {};
}

/// Whether the same may be decided when it is tried again at once.
bool may_pass(const postgres::error& error) {
    using kind = postgres::error::kind;
    return error.what == kind::unique_violation || error.what == kind::transient ||
           error.what == kind::outcome_unknown;
}

class postgres_charges final : public charges {
public:
    explicit postgres_charges(postgres::session& database) : database_(database) {}

    std::expected<std::vector<charge_decision>, std::string> decide(
        std::span<const charge> all) override {
        if (all.empty()) return {};
        for (int tries_left = tries_max;; --tries_left) {
            charging made;
            const auto done = database_.transaction([&](postgres::session& in) -> attempt {
                auto known = read_locked(in, all);
                if (!known) return std::unexpected(known.error());
                made = decide_charges(all, std::move(*known));
                if (made.fresh.empty()) return {};
                return write(in, made.fresh);
            });
            if (done) return std::move(made.answers);
            if (!may_pass(done.error()) || tries_left == 1)
                return std::unexpected("user database: " + done.error().message);
            spdlog::warn("payments are decided again: {}", done.error().message);
        }
    }

private:
    postgres::session& database_;
};

}  // namespace

std::unique_ptr<charges> make_postgres_charges(postgres::session& database) {
    return std::make_unique<postgres_charges>(database);
}

}  // namespace flashsale::user
