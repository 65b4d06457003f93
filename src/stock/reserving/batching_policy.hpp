#pragma once

// When reservations go to the gate and granted events to the log, and how many together; no I/O,
// and no clock.
//
// The gate's price is by the call. Clients that were answered together come back together, but not
// within one turn; so a reservation waits a fraction of a millisecond for its neighbours, if the
// gate wants it so. One that comes while no other is at the gate or in the log does not wait: there
// is none to share a call with. Beside a batch under way a further one goes only if it is large
// enough to be worth its own price; then the gate works on one while this process prepares and
// answers others.
//
// The log's price is by the message, and a flock of orders comes back from the gate in a few
// batches close together. So what is granted waits for the batches that are at the gate already, to
// travel with what they bring, unless enough has gathered to be worth a message, or a few batches
// have come back since. What is alone at the gate waits for nothing.

#include <cstddef>

#include <flashsale/stock/gate_decisions.hpp>

namespace flashsale::stock {

/// Reservations on their way to the gate.
class gate_batching {
public:
    explicit gate_batching(const gate_decisions::batching_limits& limits) : limits_(limits) {}

    std::size_t reservations_max() const { return limits_.reservations_max; }
    /// For so long a reservation waits that does not go at the end of its turn.
    std::chrono::microseconds gather_max() const { return limits_.gather_max; }

    /// Whether a reservation waits for others at all; else it goes at the end of its turn.
    /// `others_under_way`: reservations of this worker are at the gate or in the log.
    bool gathers(bool others_under_way) const {
        return others_under_way && limits_.gather_max.count() > 0;
    }
    /// Whether those that wait in a shard need not wait any longer.
    bool is_enough(std::size_t waiting) const { return waiting >= limits_.gathered_enough; }

    /// Whether a batch of this size may go beside those of its shard that are under way.
    bool may_go(std::size_t reservations, std::size_t batches_in_flight) const {
        if (batches_in_flight >= limits_.batches_in_flight_max) return false;
        return batches_in_flight == 0 || reservations >= limits_.beside_another_min;
    }

private:
    const gate_decisions::batching_limits limits_;
};

struct message_limits {
    std::size_t events_enough = 64;  ///< so many are worth a message of their own
    std::size_t batches_max = 4;     ///< so many batches come back before what they brought goes
};

/// Granted events on their way to the log.
class message_gathering {
public:
    /// `gate_batches`: the gate takes more than one reservation at a time. Else one that comes back
    /// says nothing of when the next one will, and nothing is gained by waiting.
    message_gathering(const message_limits& limits, bool gate_batches)
        : limits_(limits), gate_batches_(gate_batches) {}

    void add_event() { ++events_; }
    bool is_empty() const { return events_ == 0; }

    /// A batch has come back, and all that it brought was added; so many of its shard are still at
    /// the gate. Whether the events go now.
    bool goes_after_batch(std::size_t batches_in_flight) {
        if (events_ == 0) return false;
        return !gate_batches_ || batches_in_flight == 0 || ++batches_ >= limits_.batches_max ||
               events_ >= limits_.events_enough;
    }

    void sent() { events_ = batches_ = 0; }

private:
    const message_limits limits_;
    const bool gate_batches_;
    std::size_t events_ = 0;   // added since the last message
    std::size_t batches_ = 0;  // come back since the first of them
};

}  // namespace flashsale::stock
