#pragma once

// Units of an order that has ended go up at the record first: the status, then the stock database,
// then the gate, which is told cumulative numbers. Until that is done the order is due
// (order_lives.due_at). Each step may be done again and changes nothing twice, and what a process
// leaves, any process finishes.

#include <span>

#include "asked_change.hpp"

namespace flashsale::order {

/// Blocking; one thread.
class unit_returns {
public:
    explicit unit_returns(const clerk::dependencies& uses) : uses_(uses) {}

    done give_back(std::span<const ended_order> ended);
    /// Both databases have these orders. Until the recorder finds that out, the outbox would show
    /// them as they were accepted. One that stays is only published once more.
    void remove_events(std::span<const ended_order> recorded);

private:
    /// What the gate was told of is due no more.
    done clear(std::span<returned_order> orders);

    const clerk::dependencies uses_;
};

}  // namespace flashsale::order
