// SQLite has one writer at a time: what the transaction reads, nothing changes before it ends.

#include <map>
#include <utility>

#include <flashsale/sqlite.hpp>
#include <flashsale/user/module.hpp>

#include "charging.hpp"

namespace flashsale::user {

namespace {

constexpr sqlite::statement find_balance{"SELECT balance FROM users WHERE id = ?1"};
constexpr sqlite::statement find_decision{
    "SELECT taken FROM charge_decisions WHERE payment_id = ?1"};
constexpr sqlite::statement find_paid_order{
    "SELECT 1 FROM charge_decisions WHERE order_id = ?1 AND taken"};
constexpr sqlite::statement insert_decision{
    "INSERT INTO charge_decisions (payment_id, order_id, user_id, amount, taken, decided_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
constexpr sqlite::statement insert_payment{
    "INSERT INTO balance_entries (user_id, amount, kind, order_id, payment_id, idempotency_key,"
    "                             balance_after, created_at)"
    " VALUES (?1, ?2, 'payment', ?3, ?4, ?5, ?6, ?7)"};
constexpr sqlite::statement spend{"UPDATE users SET balance = balance - ?2 WHERE id = ?1"};

using attempt = std::expected<void, sqlite::error>;

/// The first column of the only row there can be; nullopt: there is none.
std::expected<std::optional<std::int64_t>, sqlite::error> number_of(sqlite::query& asked) {
    const auto found = asked.step();
    if (!found) return std::unexpected(found.error());
    return *found ? std::optional(asked.integer_at(0)) : std::nullopt;
}

std::expected<charging_record, sqlite::error> read_record(sqlite::database& in,
                                                          std::span<const charge> all) {
    charging_record out;
    for (const charge& one : all) {
        auto payer = in.prepare(find_balance);
        const auto balance = number_of(payer.integer(one.user_id));
        if (!balance) return std::unexpected(balance.error());
        if (*balance) out.balances.emplace(one.user_id, **balance);

        auto decision = in.prepare(find_decision);
        const auto taken = number_of(decision.uuid(one.payment_id));
        if (!taken) return std::unexpected(taken.error());
        if (*taken) out.decided.emplace(one.payment_id, **taken != 0);

        auto paid_order = in.prepare(find_paid_order);
        const auto paid = number_of(paid_order.uuid(one.order_id));
        if (!paid) return std::unexpected(paid.error());
        if (*paid) out.paid_orders.insert(one.order_id);
    }
    return out;
}

attempt write(sqlite::database& in, std::span<const new_decision> fresh) {
    const timestamp now = wall_clock_now();
    std::map<std::int64_t, std::int64_t> spent;
    for (const new_decision& one : fresh) {
        const charge& what = one.what;
        auto decision = in.prepare(insert_decision);
        decision.uuid(what.payment_id).uuid(what.order_id).integer(what.user_id);
        decision.integer(what.amount).integer(std::int64_t{one.taken()}).time(now);
        if (const auto done = decision.run(); !done) return std::unexpected(done.error());
        if (!one.has_entry()) continue;

        auto entry = in.prepare(insert_payment);
        entry.integer(what.user_id).integer(-what.amount).uuid(what.order_id);
        entry.uuid(what.payment_id).text(what.payment_id.to_string());
        entry.integer(*one.balance_after).time(now);
        if (const auto done = entry.run(); !done) return std::unexpected(done.error());
        spent[what.user_id] += what.amount;
    }
    for (const auto& [user_id, amount] : spent) {
        const auto done = in.prepare(spend).integer(user_id).integer(amount).run();
        if (!done) return std::unexpected(done.error());
    }
    return {};
}

class sqlite_charges final : public charges {
public:
    explicit sqlite_charges(sqlite::database& database) : database_(database) {}

    std::expected<std::vector<charge_decision>, std::string> decide(
        std::span<const charge> all) override {
        if (all.empty()) return {};
        charging made;
        const auto done =
            database_.transaction(sqlite::access::write, [&](sqlite::database& in) -> attempt {
                auto known = read_record(in, all);
                if (!known) return std::unexpected(known.error());
                made = decide_charges(all, std::move(*known));
                return write(in, made.fresh);
            });
        if (!done) return std::unexpected("user database: " + done.error().message);
        return std::move(made.answers);
    }

private:
    sqlite::database& database_;
};

}  // namespace

std::unique_ptr<charges> make_sqlite_charges(sqlite::database& database) {
    return std::make_unique<sqlite_charges>(database);
}

}  // namespace flashsale::user
