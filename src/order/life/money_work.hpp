#pragma once

// Money from outside, and money that goes back, batch by batch. No thread and no queue.
//
// The shop's service tells of money that it has taken. That is kept first, whatever the order's
// state, under the shop's reference, which makes a repeat harmless. Then it pays its order, if that
// is PENDING, its time is not up and the amount is its total; or it comes too late, and buys the
// same again; or it is owed: the payment becomes refund_due with a refund in the same transaction.
// What can be neither yet (a payment from the balance is under way, or the hold is about to end)
// waits, and is decided by whichever process comes next.
//
// A refund is pending until the money has gone back. To a balance the clerk gives it itself, once
// by the entry's key; to the outside the shop's service does, and confirms it.

#include <flashsale/order/clerk.hpp>

#include <span>

#include "asked_change.hpp"
#include "replacement_work.hpp"
#include "unit_returns.hpp"

namespace flashsale::order {

/// Blocking; one thread. Leaves without an answer what has to be asked again.
class money_work {
public:
    money_work(const clerk::dependencies& uses, const clerk_options& options)
        : uses_(uses),
          payments_max_(options.batch_orders_max),
          grace_(options.payment_grace),
          units_(uses),
          replacements_(uses) {}

    done take_in(const batch& asked);
    done refund_orders(const batch& asked);
    /// What another process, or an earlier call, has left. True: there may be more.
    std::expected<bool, std::string> resume();

private:
    /// Those of these received payments that can be decided now.
    done decide(std::span<const payment> received);
    done answer(const by_id<asked_change*>& by_payment, const by_id<payment_state>& before);
    done give_back(std::span<const refund> pending);

    const clerk::dependencies uses_;
    const std::size_t payments_max_;
    const std::chrono::seconds grace_;
    unit_returns units_;
    replacement_work replacements_;
    uuid_generator ids_;
};

}  // namespace flashsale::order
