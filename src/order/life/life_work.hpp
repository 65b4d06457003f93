#pragma once

// What the clerk does, batch by batch, and what it asks for that. No thread and no queue.
//
// A payment from a balance touches two databases. PENDING becomes PAYING with a payment of its own;
// the user database decides once for that payment, and every later question has the same answer;
// then PAYING becomes PAID, or PENDING again. Meanwhile nothing else changes the order: so the
// money of an order that has ended is never taken, however long a process sleeps in between. What a
// process leaves at PAYING, any process finishes: it asks for the same payment.
//
// Units of an order that has ended go up at the record first: the status, then the stock database,
// then the gate, which is told cumulative numbers. Until that is done the order is due
// (order_lives.due_at). Each step may be done again and changes nothing twice, and what a process
// leaves, any process finishes.

#include <flashsale/order/clerk.hpp>

#include <span>
#include <string>
#include <vector>

namespace flashsale::order {

struct asked_change {
    change_request what;
    deadline until;      ///< then its outcome is unknown
    deadline record_at;  ///< then the clerk records the order itself
    uuid payment_id = {};
    std::optional<order_changes::answer> answer = {};  ///< until then it is asked again

    void fail(change_failure::kind why, std::optional<order> state = {}, bool replayed = false) {
        answer = std::unexpected(change_failure{why, std::move(state), replayed});
    }
};

/// Blocking; one thread. An error's text is for people: what was begun is finished by a later call.
class life_work {
public:
    using done = std::expected<void, std::string>;
    using batch = std::vector<asked_change*>;

    life_work(const clerk::dependencies& uses, std::size_t batch_orders_max)
        : uses_(uses), batch_orders_max_(batch_orders_max) {}

    /// Answers those that can be answered now; the others are to be handed in again. At most
    /// batch_orders_max.
    done change(const batch& asked, deadline now);

    /// Holds whose time is up. True: there may be more.
    std::expected<bool, std::string> expire();
    /// What another process, or an earlier call, has left. True: there may be more.
    std::expected<bool, std::string> resume();

private:
    done record_those_asked_for(const batch& asked, deadline now);
    done pay(const batch& asked, batch& rest);
    done cancel(const batch& asked, batch& rest);
    /// Those that were not changed: answers by what there is.
    done explain(const batch& rest);
    void explain_payment(asked_change& one, const order& state, const payment* by);
    void explain_cancellation(asked_change& one, const order& state);

    struct decided {
        std::vector<payment> taken, declined;
    };
    std::expected<decided, std::string> decide(std::span<const payment> started);
    done return_units(std::span<const ended_order> ended);
    void remove_events(std::span<const ended_order> recorded);

    const clerk::dependencies uses_;
    const std::size_t batch_orders_max_;
    uuid_generator ids_;
    /// Of many holds that end together: where the batch before has come to. The index has the dead
    /// entries of all batches, and to walk over them each time would take longer and longer.
    timestamp expired_from_{};
};

}  // namespace flashsale::order
