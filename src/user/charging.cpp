#include "charging.hpp"

namespace flashsale::user {

namespace {

/// What the balance is after it; nullopt: declined.
std::optional<std::int64_t> pay(const charge& one, charging_record& known) {
    const auto payer = known.balances.find(one.user_id);
    if (payer == known.balances.end() || payer->second < one.amount) return std::nullopt;
    if (!known.paid_orders.insert(one.order_id).second) return std::nullopt;
    return payer->second -= one.amount;
}

}  // namespace

charging decide_charges(std::span<const charge> all, charging_record known) {
    charging out;
    out.answers.reserve(all.size());
    for (const charge& one : all) {
        auto decided = known.decided.find(one.payment_id);
        if (decided == known.decided.end()) {
            const new_decision& made = out.fresh.emplace_back(one, pay(one, known));
            decided = known.decided.emplace(one.payment_id, made.taken()).first;
        }
        out.answers.push_back(decided->second ? charge_decision::taken : charge_decision::declined);
    }
    return out;
}

}  // namespace flashsale::user
