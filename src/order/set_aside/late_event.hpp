#pragma once

// What becomes of an event that is older than its shard's fence; no I/O.
//
// A rebuild raises the fence to its own epoch when all that was answered with 201 is
// recorded, and then reads the record. What comes after that and is of an older epoch was
// answered with no 201, and the new gate does not know of it: to record it would sell its units
// twice, to drop it would lose an order that could still be had. So it is set aside, and the gate
// is asked for it again, as for any reservation, under the same id.
//
//   granted        it is in the new gate's outbox, and travels as every order
//   a repeat       of its own id: it is on its way, or recorded, and then it is done;
//                  of another id: its client had asked again, it was a twin
//   refused        it is parked, without units
//   anything else  the gate is asked once more later

#include <flashsale/events/event.hpp>
#include <flashsale/stock/allocation.hpp>
#include <flashsale/stock/reservation.hpp>

#include <cstdint>
#include <unordered_map>

namespace flashsale::order {

/// The epoch of the newest gate that the record was read for, of each shard.
class fences {
public:
    void raise(std::uint32_t shard, std::uint64_t epoch) {
        std::uint64_t& newest = newest_[shard];
        if (newest < epoch) newest = epoch;
    }

    /// Of an order or a reduction: whether it must not be recorded as it is.
    bool is_late(const events::event_base& one) const {
        if (newest_.empty()) return false;
        const auto found = newest_.find(one.shard);
        return found != newest_.end() && one.epoch < found->second;
    }

private:
    std::unordered_map<std::uint32_t, std::uint64_t> newest_;
};

enum class late_outcome {
    recorded,    ///< done: the databases have it
    twin,        ///< done: the databases have, or will have, another order of its key
    on_its_way,  ///< its event is in the outbox: publish it, and look again later
    refused,     ///< done: to be parked
    not_yet,     ///< nothing can be said now
};

/// What the gate's answer to the late event `id` means.
late_outcome outcome_of(const uuid& id, const stock::decision& answer);

/// What it was before a gate granted it. Its key is that of `late`, which has to stay until the
/// gate has decided.
stock::reservation reservation_of(const stock::allocation& late);

}  // namespace flashsale::order
