#pragma once

// Rebuilds a shard's gate from the record (src/recovery/rebuild_plan.hpp). Blocking; one thread.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "flashsale/recovery/ports.hpp"

namespace flashsale::recovery {

struct rebuilt {
    std::uint64_t epoch = 0;
    std::size_t products = 0, orders = 0, parked = 0, reductions = 0;
    std::size_t survivors = 0;  ///< outbox entries published once more
    std::size_t mended = 0;     ///< orders that had no movement
    bool closed_older = false;  ///< the gate that it replaces was met, and closed
    std::chrono::milliseconds took{0};
    std::chrono::milliseconds loading{0};
};

/// One attempt, by the holder of the shard's lease. An error says why it was given up; the gate is
/// then closed, and another attempt may be made. `read_anew`: the recorder of this process is to
/// read the log anew, a barrier is long out; may be empty.
std::expected<rebuilt, std::string> rebuild(const ports& uses, const options& with,
                                            std::uint32_t shard, const uuid& holder,
                                            const std::function<void()>& read_anew = {});

}  // namespace flashsale::recovery
