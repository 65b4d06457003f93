#pragma once

// The gate in this process's memory.

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "flashsale/stock/allocation.hpp"
#include "flashsale/stock/gate.hpp"

namespace flashsale::stock {

class memory_gate_core;

struct memory_gate_options {
    std::size_t outbox_events_max = 1'000'000;  ///< accepted and not yet recorded
};

/// Owns what the gates of all threads decide on: one shard, one thread that touches it. Nothing of
/// it outlives the process, so each start loads it from the record and counts a new epoch.
class memory_gate_owner {
public:
    explicit memory_gate_owner(const memory_gate_options& options);
    ~memory_gate_owner();

    /// The io_context whose thread decides. Once, before a gate is asked anything.
    void run_on(asio::io_context& deciding) { deciding_ = &deciding; }

    // Loading, before open(): products first, each once. The caller's thread.
    void load(const gate_product& product);
    /// Each once. False: no such product.
    bool load(const allocation& taken);
    /// After what the buyer took.
    void load(const buyer_returns& buyer);
    /// From here on it decides; until then every answer is `rebuilding`.
    void open(std::uint64_t epoch);

private:
    friend class memory_gate;
    std::unique_ptr<memory_gate_core> core_;
    asio::io_context* deciding_ = nullptr;
};

/// A gate for `mine`'s thread: decides in the call itself if that is the thread that decides, else
/// hands the batch over to it. `owner` must outlive it.
std::unique_ptr<gate> make_memory_gate(memory_gate_owner& owner, asio::io_context& mine);

}  // namespace flashsale::stock
