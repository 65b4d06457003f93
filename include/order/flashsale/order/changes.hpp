#pragma once

// Changes of orders as a request asks for them: to pay for one, or to cancel it. The clerk carries
// them out, and answers from the order database.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "flashsale/base/async.hpp"
#include "flashsale/base/uuid.hpp"
#include "flashsale/order.hpp"

namespace flashsale::order {

struct change_request {
    enum class kind : std::uint8_t { pay_from_balance, cancel };
    kind what = kind::cancel;
    uuid order_id;
    std::string idempotency_key = {};  ///< of a payment
    bool key_is_ours = false;          ///< the client sent none: a payment before answers for it
    std::string reason = {};           ///< of a cancellation; may be empty
    bool restock = true;  ///< of a cancellation; false: the units are not offered again
    /// The order's event, where it is known to be accepted and may not be recorded: it is recorded
    /// first, if the recorder has not done it soon.
    std::string event = {};
};

/// A payment, as its buyer may know it.
struct paid {
    uuid payment_id;
    std::int64_t amount = 0;
    timestamp created_at;
};

struct changed {
    order what;                   ///< as it stands after the change
    std::optional<paid> by = {};  ///< of a payment
    bool replayed = false;        ///< it was done before
};

struct change_failure {
    enum class kind : std::uint8_t {
        not_recorded,  ///< the order database has no such order; there may be one on its way to it
        not_payable,   ///< `what` says in which state it stands
        not_cancellable,
        insufficient_balance,
        late,             ///< the gate is asked again for the order; ask again later
        overloaded,       ///< nothing was done
        outcome_unknown,  ///< a database did not answer in time; ask again, with the same key
    };
    kind why = kind::outcome_unknown;
    std::optional<order> what = {};
    bool replayed = false;  ///< this was the answer before
};

class order_changes {
public:
    using answer = std::expected<changed, change_failure>;

    virtual ~order_changes() = default;

    /// Any thread. `done` is called there, on the thread of `reply_on`, once, within some seconds.
    virtual void ask(change_request what, asio::io_context& reply_on, callback<answer> done) = 0;
};

}  // namespace flashsale::order
