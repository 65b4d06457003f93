#pragma once

// Looks after the shards: finishes what dead processes left behind, and rebuilds gates that lost
// their data. Every serving process has one; of each shard one at a time does the work, the one
// that has its lease.

#include <memory>

#include "flashsale/recovery/ports.hpp"

namespace flashsale::recovery {

/// Blocking; one thread.
class shard_keeper {
public:
    virtual ~shard_keeper() = default;

    /// Once over every shard. What it learns of the gates and of the record is on the board as soon
    /// as it has learnt it.
    virtual void pass() = 0;
    /// Its leases, so that another need not wait for them to run out.
    virtual void release() = 0;
};

std::unique_ptr<shard_keeper> make_shard_keeper(const ports& uses, const options& with,
                                                fault_board& board);

}  // namespace flashsale::recovery
