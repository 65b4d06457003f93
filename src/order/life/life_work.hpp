#pragma once

// What the clerk does, batch by batch, and what it asks for that. No thread and no queue.
//
// A payment from a balance touches two databases. PENDING becomes PAYING with a payment of its own;
// the user database decides once for that payment, and every later question has the same answer;
// then PAYING becomes PAID, or PENDING again. Meanwhile nothing else changes the order: so the
// money of an order that has ended is never taken, however long a process sleeps in between. What a
// process leaves at PAYING, any process finishes: it asks for the same payment.

#include <flashsale/order/clerk.hpp>

#include <span>
#include <string>
#include <vector>

#include "asked_change.hpp"
#include "money_work.hpp"
#include "sale_cancellation_work.hpp"
#include "unit_returns.hpp"

namespace flashsale::order {

/// Blocking; one thread. An error's text is for people: what was begun is finished by a later call.
class life_work {
public:
    life_work(const clerk::dependencies& uses, const clerk_options& options)
        : uses_(uses),
          batch_orders_max_(options.batch_orders_max),
          currency_(options.currency),
          units_(uses),
          money_(uses, options),
          sales_(uses, options) {}

    /// Answers those that can be answered now; the others are to be handed in again. At most
    /// batch_orders_max.
    done change(const batch& asked, deadline now);

    /// Holds whose time is up. True: there may be more.
    std::expected<bool, std::string> expire();
    /// What another process, or an earlier call, has left. True: there may be more.
    std::expected<bool, std::string> resume();

private:
    done record_those_asked_for(const batch& asked, deadline now);
    done pay(const batch& asked);
    done cancel(const batch& asked);
    /// Those that have no answer, by what there is.
    done explain(const batch& asked);
    struct what_there_is {
        const order* state = nullptr;
        const payment* by = nullptr;   ///< that has paid
        const refund* back = nullptr;  ///< of that
    };
    void explain_payment(asked_change& one, const what_there_is& is) const;
    static void explain_announcement(asked_change& one, const what_there_is& is);
    static void explain_cancellation(asked_change& one, const order& state);
    static void explain_refund(asked_change& one, const what_there_is& is);

    struct decided {
        std::vector<payment> taken, declined;
    };
    std::expected<decided, std::string> decide(std::span<const payment> started);

    const clerk::dependencies uses_;
    const std::size_t batch_orders_max_;
    const currency_code currency_;
    unit_returns units_;
    money_work money_;
    sale_cancellation_work sales_;
    uuid_generator ids_;
    /// Of many holds that end together: where the batch before has come to. The index has the dead
    /// entries of all batches, and to walk over them each time would take longer and longer.
    timestamp expired_from_{};
};

}  // namespace flashsale::order
