#pragma once

// Changes of orders as a request asks for them: to pay for one, to cancel it, or to give its money
// back. The clerk carries them out, and answers from the order database.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "flashsale/base/async.hpp"
#include "flashsale/base/uuid.hpp"
#include "flashsale/order.hpp"
#include "flashsale/order/payment.hpp"

namespace flashsale::order {

struct change_request {
    enum class kind : std::uint8_t { pay_from_balance, pay_from_outside, cancel, refund };
    kind what = kind::cancel;
    uuid order_id;
    std::string idempotency_key = {};  ///< of a payment from a balance
    bool key_is_ours = false;          ///< the client sent none: a payment before answers for it
    std::string reference = {};        ///< of money from outside: its key
    std::int64_t amount = 0;           ///< of money from outside
    bool announced = false;            ///< of money from outside: it may come; else it is here
    std::string reason = {};           ///< of a cancellation or a refund; may be empty
    bool restock = true;               ///< of those; false: the units are not offered again
    /// The order's event, where it is known to be accepted and may not be recorded: it is recorded
    /// first, if the recorder has not done it soon.
    std::string event = {};
};

struct changed {
    order what;                       ///< as it stands after the change
    std::optional<payment> by = {};   ///< of a payment
    std::optional<refund> back = {};  ///< of a refund
    bool replayed = false;            ///< it was done before
};

struct change_failure {
    enum class kind : std::uint8_t {
        not_recorded,  ///< the order database has no such order; there may be one on its way to it
        not_payable,   ///< `what` says in which state it stands; `by`: the money is here, and owed
        not_cancellable,
        not_refundable,
        too_late,         ///< the hold has ended; `by` is owed
        amount_mismatch,  ///< it is not what the order costs; `by` is owed
        reference_taken,  ///< by a payment for another order, or of another amount
        other_currency,   ///< than the balance's
        insufficient_balance,
        late,             ///< the gate is asked again for the order; ask again later
        overloaded,       ///< nothing was done
        outcome_unknown,  ///< a database did not answer in time; ask again, with the same key
    };
    kind why = kind::outcome_unknown;
    std::optional<order> what = {};
    std::optional<payment> by = {};
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
