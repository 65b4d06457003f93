#include "balances.hpp"

#include <algorithm>

#include "charging.hpp"
#include "promises.hpp"

namespace flashsale::model {

using user::charge_decision;

void user_database::open(std::int64_t user, std::int64_t starting) {
    balances.emplace(user, 0);
    add({user, starting, "starting", ""});
}

bool user_database::has_entry(std::int64_t user, std::string_view kind,
                              std::string_view key) const {
    return !in_.is_without(guard::entry_once) && keys_.contains(std::tuple(user, kind, key));
}

void user_database::add(entry one) {
    balances[one.user] += one.amount;
    keys_.emplace(one.user, one.kind, one.key);
    in_.tell("user database", "user {}: {} of {}, and has {}", one.user, one.kind, one.amount,
             balances[one.user]);
    entries.push_back(std::move(one));
}

std::vector<charge_decision> user_database::decide(const std::vector<user::charge>& all) {
    user::charging_state state;
    for (const auto& [user, balance] : balances)
        state.balances.emplace(user, balance);
    for (const auto& [payment, one] : decisions) {
        if (!in_.is_without(guard::one_decision)) state.decided.emplace(payment, one.what);
        if (one.what == charge_decision::taken) state.paid_orders.insert(one.of.order_id);
    }
    auto result = user::decide_charges(all, std::move(state));
    for (const auto& one : result.to_write) {
        const bool taken = one.decision == charge_decision::taken;
        in_.tell("user database", "payment {} is {}", short_id(one.what->payment_id.to_string()),
                 taken ? "taken" : "declined");
        decisions.insert_or_assign(one.what->payment_id, decision{*one.what, one.decision});
        if (!taken || one.what->amount == 0) continue;
        add({one.what->user_id, -one.what->amount, "payment", one.what->payment_id.to_string(),
             one.what->payment_id});
    }
    return std::move(result.decisions);
}

std::vector<uuid> user_database::give_back(const std::vector<user::credit>& all) {
    std::vector<uuid> out;
    for (const user::credit& one : all) {
        const std::string key = one.refund_id.to_string();
        const auto known = decisions.find(one.payment_id);
        const bool was_taken =
            known != decisions.end() && known->second.what == charge_decision::taken &&
            known->second.of.user_id == one.user_id && known->second.of.amount == one.amount;
        if (one.amount == 0 || has_entry(one.user_id, "refund", key)) {
            out.push_back(one.refund_id);
        } else if (was_taken) {
            add({one.user_id, one.amount, "refund", key, one.payment_id});
            out.push_back(one.refund_id);
        }
    }
    return out;
}

void user_database::deposit(std::int64_t user, std::int64_t amount, const std::string& key) {
    if (!has_entry(user, "deposit", key)) add({user, amount, "deposit", key});
}

}  // namespace flashsale::model
