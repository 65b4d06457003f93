#pragma once

// Payments from balances, as the user database decides them: one decision for each payment, taken
// or declined, for ever. It is written by the transaction that would debit, so a repeat, by any
// process and however late, reads the decision and never decides again.

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/uuid.hpp"

namespace flashsale::user {

struct charge {
    uuid payment_id;
    uuid order_id;
    std::int64_t user_id = 0;
    std::int64_t amount = 0;  ///< minor units, from 0
};

enum class charge_decision {
    taken,
    declined,  ///< the balance was less, there is no such user, or another payment of the order was
               ///< taken
};

/// Blocking; one thread. Any number of processes may decide at once, the same payments too.
class charges {
public:
    virtual ~charges() = default;

    /// One transaction; one decision for each, in their order. Several may be of one user, and of
    /// one order. Of those of a user that are new, each is taken that the balance has room for when
    /// the ones before it are paid; one that is declined spends nothing. A payment that was decided
    /// is known by its id alone: it is the caller's that an id means one order, user and amount.
    /// An error means that nothing, or an unknown part, was decided, and that the same call has to
    /// be made again; its text is for people.
    virtual std::expected<std::vector<charge_decision>, std::string> decide(
        std::span<const charge> all) = 0;
};

}  // namespace flashsale::user
