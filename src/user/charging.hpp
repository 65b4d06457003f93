#pragma once

// What becomes of payments from balances; no I/O. The databases read what it has to know under the
// lock of the payers, and write what it says in the same transaction.

#include <flashsale/user/charges.hpp>

#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace flashsale::user {

/// As of one instant that lasts: nothing of it changes until what follows from it is written.
struct charging_record {
    std::unordered_map<std::int64_t, std::int64_t> balances;  ///< of the payers that there are
    std::unordered_map<uuid, bool, uuid_hash> decided;        ///< of the payments: taken?
    std::unordered_set<uuid, uuid_hash> paid_orders;          ///< that have a payment taken
};

/// A decision that is to be written.
struct new_decision {
    charge what;
    std::optional<std::int64_t> balance_after;  ///< nullopt: declined

    bool taken() const { return balance_after.has_value(); }
    /// An entry of 0 would say nothing.
    bool has_entry() const { return taken() && what.amount > 0; }
};

struct charging {
    std::vector<charge_decision> answers;  ///< of each, in their order
    std::vector<new_decision> fresh;       ///< likewise, of those that were not decided
};

charging decide_charges(std::span<const charge> all, charging_record known);

}  // namespace flashsale::user
