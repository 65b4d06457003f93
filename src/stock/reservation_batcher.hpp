#pragma once

// Which reservations go to the gate together; no I/O.
//
// Each shard has a queue and at most `batches_in_flight_max` batches under way (one, for Redis).
// What arrives meanwhile gathers, so a batch is as large as the gate is busy: alone, a reservation
// travels at the end of the turn in which it came; in a flood, a hundred share one script call. No
// timer is involved.

#include <flashsale/stock.hpp>

#include <deque>
#include <vector>

namespace flashsale::stock {

struct waiting_reservation {
    reservation what;
    callback<std::expected<accepted, errc>> done;
};

class reservation_batcher {
public:
    reservation_batcher(std::uint32_t shards, gate::batching_limits limits,
                        std::size_t waiting_max);

    /// False: waiting_max is reached, nothing was taken over.
    bool add(std::uint32_t shard, waiting_reservation&& one);

    /// The next batch of a shard, counted as in flight until finished(); empty if none may go.
    std::vector<waiting_reservation> take(std::uint32_t shard);
    void finished(std::uint32_t shard);

    std::size_t waiting() const { return waiting_; }

private:
    struct queue {
        std::deque<waiting_reservation> waiting;
        std::size_t in_flight = 0;
    };

    std::vector<queue> shards_;
    const gate::batching_limits limits_;
    const std::size_t waiting_max_;
    std::size_t waiting_ = 0;
};

}  // namespace flashsale::stock
