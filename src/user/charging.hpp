#pragma once

// Which charges of a batch are taken, given what there is; no I/O. A charge spends only if it is
// taken: one that is too dear leaves the balance to those behind it.

#include <flashsale/user/charges.hpp>

#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace flashsale::user {

/// Read under the lock on all users of a batch, and so as it is until they are let go.
struct charging_state {
    std::unordered_map<std::int64_t, std::int64_t> balances;       ///< of users that there are
    std::unordered_map<uuid, charge_decision, uuid_hash> decided;  ///< payments, before
    std::unordered_set<uuid, uuid_hash> paid_orders;               ///< by a payment, before
};

struct charging_result {
    /// One for each charge, in their order.
    std::vector<charge_decision> decisions;

    struct fresh {
        const charge* what;
        charge_decision decision;
        std::int64_t balance_after;  ///< of the user, if it was taken
    };
    std::vector<fresh> to_write;  ///< payments that had no decision, each once
    /// Balances that have changed, by user.
    std::unordered_map<std::int64_t, std::int64_t> balances;
};

charging_result decide_charges(std::span<const charge> all, charging_state state);

}  // namespace flashsale::user
