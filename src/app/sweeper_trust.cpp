// What speaks against a gate that answers as if all were well: its server may evict keys, or has;
// its seq went back; it has taken less than the record, which compare_given() sees
// (gate_server.hpp). Such a gate is shut, by its header, for every process, and the next pass finds
// it closed.

#include <spdlog/spdlog.h>

#include <algorithm>

#include "metrics.hpp"
#include "sweeper.hpp"

namespace flashsale::app {

std::optional<sweeper::server_look> sweeper::look_at_server(shard& of) {
    if (!uses_redis(settings_)) return std::nullopt;
    redis::client& client = *access_.clients()[of.number];
    const auto header =
        stock::read_gate_header(io_, client, of.number, redis_gate_options(settings_, deployment_));
    if (!header) return std::nullopt;
    const auto server = stock::read_gate_server(io_, client);
    if (!server) return std::nullopt;
    of.server_fault.reset();
    if (server->may_evict()) of.server_fault = server->eviction_fault();
    return server_look{*server, *header};
}

bool sweeper::is_trusted(shard& of, const std::optional<server_look>& look,
                         const stock::gate::levels& gate) {
    auto why = of.seq.went_back(gate.generation, gate.seq);
    if (look) {
        note_memory(of, look->server);
        if (look->header && look->header->generation == gate.generation && !why)
            why = stock::evicted_since(*look->header, look->server);
        // It may have evicted what it sells from before the next look.
        if (of.server_fault) why = of.server_fault;
    }
    if (!why) return true;
    shut(of, *why);
    return false;
}

void sweeper::note_memory(shard& of, const stock::gate_server& server) {
    const auto rows = size_of(settings_.recovery.load_rows_max);
    const bool lacked = of.lacks_bytes > 0;
    of.lacks_bytes = server.reopening_lacks_bytes(rows);
    metrics::reopening_lacks_bytes.set(
        static_cast<std::int64_t>(std::ranges::max(shards_, {}, &shard::lacks_bytes).lacks_bytes));
    if (lacked == (of.lacks_bytes > 0)) return;
    if (lacked) return spdlog::info("sweep: shard {}: a reopening has room again", of.number);
    spdlog::warn("sweep: shard {}: {}", of.number, server.memory_fault(rows));
}

void sweeper::shut(shard& of, const std::string& why) {
    of.outbox = outbox_sweep(ms_of(settings_.recovery.barrier_patience_ms));
    const auto done = stock::shut_gate(io_, *access_.clients()[of.number], of.number, of.generation,
                                       redis_gate_options(settings_, deployment_));
    if (!done) return warn(of, done.error());
    if (!*done) return;  // another process reopens it
    metrics::gates_shut.add();
    spdlog::error("sweep: the gate of shard {}, generation {}, is shut, and must be rebuilt: {}",
                  of.number, of.generation, why);
}

}  // namespace flashsale::app
