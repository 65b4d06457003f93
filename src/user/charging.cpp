#include "charging.hpp"

#include <flashsale/base/fault_points.hpp>
#include <flashsale/user/store.hpp>

namespace flashsale::user {

charging_result decide_charges(std::span<const charge> all, charging_state state) {
    charging_result out;
    for (const charge& one : all) {
        const auto [known, is_new] =
            state.decided.try_emplace(one.payment_id, charge_decision::declined);
        if (!is_new && !faults::without(faults::guard::one_decision)) {
            out.decisions.push_back(known->second);
            continue;
        }
        const auto balance = state.balances.find(one.user_id);
        // Beyond what a balance is to hold an amount says only that it is more.
        const bool can = one.amount <= balance_max && balance != state.balances.end() &&
                         balance->second >= one.amount &&
                         state.paid_orders.insert(one.order_id).second;
        if (can) {
            known->second = charge_decision::taken;
            balance->second -= one.amount;
            if (one.amount > 0) out.balances[one.user_id] = balance->second;
        }
        out.to_write.push_back({&one, known->second, can ? balance->second : 0});
        out.decisions.push_back(known->second);
    }
    return out;
}

}  // namespace flashsale::user
