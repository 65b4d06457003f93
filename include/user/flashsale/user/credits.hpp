#pragma once

// Money that goes back to balances: of payments that were taken from them, each once. A refund is
// known by its id, and its entry is unique by that: a repeat, by any process and however late,
// changes nothing.

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/uuid.hpp"

namespace flashsale::user {

struct credit {
    uuid refund_id;
    uuid payment_id;  ///< what goes back
    uuid order_id;
    std::int64_t user_id = 0;
    std::int64_t amount = 0;  ///< minor units, from 0: the payment's
};

/// Blocking; one thread. Any number of processes may give back at once, the same refunds too.
class credits {
public:
    virtual ~credits() = default;

    /// One transaction. Answers the refunds that have gone back, now or before. Not among them: one
    /// whose payment was not taken from this user, or was another amount, or that would bring a
    /// balance beyond 2^62. An error means that nothing, or an unknown part, was done, and that the
    /// same call has to be made again; its text is for people.
    virtual std::expected<std::vector<uuid>, std::string> give_back(
        std::span<const credit> all) = 0;
};

}  // namespace flashsale::user
