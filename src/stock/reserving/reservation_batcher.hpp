#pragma once

// Which reservations go to the gate together; no I/O.
//
// Each shard has a queue of batches being filled, and a few under way. What arrives while the gate
// is busy gathers, so a batch is as large as the gate is busy: alone, a reservation travels at the
// end of the turn in which it came; in a flood, a hundred share one script call. When a batch may
// go, batching_policy.hpp says.

#include <deque>
#include <flashsale/stock.hpp>
#include <vector>

#include "batching_policy.hpp"

namespace flashsale::stock {

/// Reservations and their callbacks, at the same places.
struct reservation_batch {
    std::vector<reservation> reservations;
    std::vector<callback<std::expected<accepted, refusal>>> answers;

    bool empty() const { return reservations.empty(); }
    std::size_t size() const { return reservations.size(); }
};

class reservation_batcher {
public:
    using answer = callback<std::expected<accepted, refusal>>;

    reservation_batcher(std::uint32_t shards, const gate_batching& policy, std::size_t waiting_max);

    /// False: waiting_max is reached; `done` was not taken over.
    bool add(std::uint32_t shard, const reservation& what, answer&& done);

    /// The next batch of a shard, counted as in flight until finished(); empty if none may go.
    reservation_batch take(std::uint32_t shard);
    void finished(std::uint32_t shard);

    std::size_t waiting(std::uint32_t shard) const;
    std::size_t in_flight(std::uint32_t shard) const { return shards_[shard].in_flight; }

private:
    struct queue {
        std::deque<reservation_batch> filling;  ///< all but the last are full
        std::size_t in_flight = 0;
    };

    std::vector<queue> shards_;
    const gate_batching policy_;
    const std::size_t waiting_max_;
    std::size_t waiting_ = 0;
};

}  // namespace flashsale::stock
