#pragma once

// Late money that buys again, payment by payment: seldom, and so not in batches. See
// flashsale/order/replacement.hpp. No thread and no queue.

#include <flashsale/order/clerk.hpp>

#include <span>

#include "asked_change.hpp"

namespace flashsale::order {

/// Blocking; one thread.
class replacement_work {
public:
    explicit replacement_work(const clerk::dependencies& uses) : uses_(uses) {}

    /// Brings those of these payments that are `placing` as far as it goes now. What the gate or a
    /// database cannot answer stays as it is, for another call.
    done place(std::span<const uuid> payments);

private:
    enum class outcome { placed, refused, not_yet };
    struct asked {
        outcome what = outcome::not_yet;
        uuid order_id = {};
    };
    std::expected<asked, std::string> ask_gate(const late_payment& of);
    std::expected<asked, std::string> record(const uuid& id);

    const clerk::dependencies uses_;
    uuid_generator ids_;
};

}  // namespace flashsale::order
