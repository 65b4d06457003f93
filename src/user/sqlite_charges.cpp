// Charges on SQLite: one transaction for a whole batch, which has the file to itself.

#include <flashsale/sqlite.hpp>
#include <flashsale/user/module.hpp>

#include "charging.hpp"

namespace flashsale::user {

namespace {

constexpr sqlite::statement find_user{"SELECT balance FROM users WHERE id = ?1"};
constexpr sqlite::statement find_decision{
    "SELECT taken FROM charge_decisions WHERE payment_id = ?1"};
constexpr sqlite::statement find_paid_order{
    "SELECT 1 FROM charge_decisions WHERE order_id = ?1 AND taken"};
constexpr sqlite::statement insert_decision{
    "INSERT INTO charge_decisions (payment_id, order_id, user_id, amount, taken, decided_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
constexpr sqlite::statement insert_entry{
    "INSERT INTO balance_entries (user_id, amount, kind, order_id, payment_id, idempotency_key,"
    "                             balance_after, created_at)"
    " VALUES (?1, -?2, 'payment', ?3, ?4, ?5, ?6, ?7)"};
constexpr sqlite::statement change_balance{"UPDATE users SET balance = ?2 WHERE id = ?1"};

using attempt = std::expected<void, sqlite::error>;

std::expected<charging_state, sqlite::error> read_state(sqlite::database& in,
                                                        std::span<const charge> all) {
    charging_state out;
    for (const charge& one : all) {
        auto user = in.prepare(find_user);
        const auto there = user.integer(one.user_id).step();
        if (!there) return std::unexpected(there.error());
        if (*there) out.balances.emplace(one.user_id, user.integer_at(0));
        auto decision = in.prepare(find_decision);
        const auto decided = decision.uuid(one.payment_id).step();
        if (!decided) return std::unexpected(decided.error());
        if (*decided) {
            out.decided.emplace(one.payment_id, decision.integer_at(0) != 0
                                                    ? charge_decision::taken
                                                    : charge_decision::declined);
        }
        const auto paid = in.prepare(find_paid_order).uuid(one.order_id).step();
        if (!paid) return std::unexpected(paid.error());
        if (*paid) out.paid_orders.insert(one.order_id);
    }
    return out;
}

attempt write(sqlite::database& in, const charging_result& result) {
    const timestamp now = wall_clock_now();
    for (const charging_result::fresh& one : result.to_write) {
        const charge& what = *one.what;
        const bool taken = one.decision == charge_decision::taken;
        auto decision = in.prepare(insert_decision);
        decision.uuid(what.payment_id).uuid(what.order_id).integer(what.user_id);
        const auto decided = decision.integer(what.amount).integer(taken ? 1 : 0).time(now).run();
        if (!decided) return std::unexpected(decided.error());
        if (!taken || what.amount == 0) continue;
        auto entry = in.prepare(insert_entry);
        entry.integer(what.user_id).integer(what.amount).uuid(what.order_id).uuid(what.payment_id);
        entry.text(what.payment_id.to_string()).integer(one.balance_after);
        if (const auto noted = entry.time(now).run(); !noted) return std::unexpected(noted.error());
    }
    for (const auto& [user, balance] : result.balances) {
        const auto changed = in.prepare(change_balance).integer(user).integer(balance).run();
        if (!changed) return std::unexpected(changed.error());
    }
    return {};
}

class sqlite_charges final : public charges {
public:
    explicit sqlite_charges(sqlite::database& database) : database_(database) {}

    std::expected<std::vector<charge_decision>, std::string> decide(
        std::span<const charge> all) override {
        if (all.empty()) return std::vector<charge_decision>{};
        std::vector<charge_decision> out;
        const auto done =
            database_.transaction(sqlite::access::write, [&](sqlite::database& in) -> attempt {
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
    sqlite::database& database_;
};

}  // namespace

std::unique_ptr<charges> make_sqlite_charges(sqlite::database& database) {
    return std::make_unique<sqlite_charges>(database);
}

}  // namespace flashsale::user
