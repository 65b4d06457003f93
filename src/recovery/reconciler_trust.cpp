// What speaks against a gate that answers as if all were well: its server may evict keys, or has;
// its seq went back; it has taken less than the record, which compare_supplied() sees
// (gate_server.hpp). Such a gate is shut, by its header, for every process, and the next pass finds
// it closed.

#include <spdlog/spdlog.h>

#include <algorithm>

#include "metrics.hpp"
#include "reconciler.hpp"

namespace flashsale::recovery {

std::optional<reconciler::server_look> reconciler::look_at_server(shard& of) {
    if (!has_gates()) return std::nullopt;
    const auto header = uses_.gates[of.number]->read_header();
    if (!header) return std::nullopt;
    const auto server = uses_.gates[of.number]->read_server();
    if (!server) return std::nullopt;
    of.server_fault.reset();
    if (server->may_evict()) of.server_fault = server->eviction_fault();
    return server_look{*server, *header};
}

bool reconciler::is_trusted(shard& of, const std::optional<server_look>& look,
                            const stock::gate::levels& gate) {
    auto why = of.seq.went_back(gate.epoch, gate.seq);
    if (look) {
        note_memory(of, look->server);
        if (look->header && look->header->epoch == gate.epoch && !why)
            why = stock::evicted_since(*look->header, look->server);
        // It may have evicted what it sells from before the next look.
        if (of.server_fault) why = of.server_fault;
    }
    if (!why) return true;
    shut(of, *why);
    return false;
}

void reconciler::note_memory(shard& of, const stock::gate_server& server) {
    const std::size_t rows = with_.load_rows_max;
    const bool lacked = of.lacks_bytes > 0;
    of.lacks_bytes = server.rebuild_lacks_bytes(rows);
    metrics::rebuild_lacks_bytes.set(
        static_cast<std::int64_t>(std::ranges::max(shards_, {}, &shard::lacks_bytes).lacks_bytes));
    if (lacked == (of.lacks_bytes > 0)) return;
    if (lacked) return spdlog::info("reconciler: shard {}: a rebuild has room again", of.number);
    spdlog::warn("reconciler: shard {}: {}", of.number, server.memory_fault(rows));
}

void reconciler::shut(shard& of, const std::string& why) {
    of.outbox = outbox_reconciliation(with_.barrier_patience);
    const auto done = uses_.gates[of.number]->shut(of.epoch);
    if (!done) return warn(of, done.error());
    if (!*done) return;  // another process rebuilds it
    metrics::gates_shut.add();
    spdlog::error("reconciler: the gate of shard {}, epoch {}, is shut, and must be rebuilt: {}",
                  of.number, of.epoch, why);
}

}  // namespace flashsale::recovery
