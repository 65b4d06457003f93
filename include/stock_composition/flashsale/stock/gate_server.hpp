#pragma once

// What the Redis server of a shard says of itself, and what speaks against a gate that it holds.
// What asks the server blocks, by `wait`; an error's text is for people.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "flashsale/base/uuid.hpp"
#include "flashsale/base/waiting.hpp"
#include "flashsale/stock/gate_view.hpp"
#include "flashsale/stock/module.hpp"

namespace flashsale::stock {

struct gate_server {
    std::string policy;  ///< maxmemory-policy
    bool replica = false;
    std::uint64_t evicted_keys = 0;     ///< since it started, or since CONFIG RESETSTAT
    std::uint64_t limit_bytes = 0;      ///< maxmemory; 0: none
    std::uint64_t used_bytes = 0;       ///< as maxmemory counts
    std::uint64_t data_bytes = 0;       ///< of all keys
    std::uint64_t freeing_objects = 0;  ///< removed, and their memory not yet given back

    bool may_evict() const { return policy != "noeviction"; }
    std::string eviction_fault() const;

    /// What a rebuild that loads `rows_max` rows at a time lacks of the memory that it needs; 0:
    /// it has it. What older gates have goes before it loads, so the new gate takes the old one's
    /// place. Beside that it needs room for one piece on its way, and for a hash that grows into a
    /// table twice as large while the old one is still there.
    std::uint64_t rebuild_lacks_bytes(std::size_t rows_max) const;
    std::uint64_t rebuild_needs_bytes(std::size_t rows_max) const;
    /// Of maxmemory; 0 if it is all used.
    std::uint64_t free_bytes() const;
    std::string memory_fault(std::size_t rows_max) const;
};

/// Of INFO's memory, stats and replication; nullopt if something is missing.
std::optional<gate_server> parse_gate_server(std::string_view info);
std::expected<gate_server, std::string> read_gate_server(const waiting& wait,
                                                         redis::client& client);

/// What the shard's header says, whether its gate can be trusted or not.
struct gate_header {
    std::uint64_t epoch = 0;
    std::optional<std::uint64_t> evicted_keys = {};  ///< of the server, when the gate was begun
    std::uint64_t seq = 0;                           ///< 0 also where it cannot be read
    std::string state = {};                          ///< open, closed, loading
    uuid token = {};
    std::string deployment = {};
    std::string held = {};  ///< why its record is not to be trusted; see gate_account.hpp
    bool accepted = false;  ///< the record, by a person, as it is

    /// One of an earlier version does not say whose it is.
    bool is_of(std::string_view which) const { return deployment.empty() || deployment == which; }
};
/// nullopt: there is none.
std::expected<std::optional<gate_header>, std::string> read_gate_header(
    const waiting& wait, redis::client& client, std::uint32_t shard,
    const redis_gate_options& options);

/// Ends what the gate grants, if it is still of that epoch; it stays closed until it is
/// rebuilt. False: it is another, or gone.
std::expected<bool, std::string> shut_gate(const waiting& wait, redis::client& client,
                                           std::uint32_t shard, std::uint64_t epoch,
                                           const redis_gate_options& options);

// ---- evidence against a gate whose header is intact; no I/O, the text is for people

/// Keys were evicted since it was begun, or that cannot be told.
std::optional<std::string> evicted_since(const gate_header& header, const gate_server& server);

/// Whether the gate's seq went back: an epoch's only grows. One for each shard.
class seq_watch {
public:
    std::optional<std::string> went_back(std::uint64_t epoch, std::uint64_t seq);

private:
    std::uint64_t epoch_ = 0, seq_ = 0;
};

/// A product of which the record, read before the gate, has more takings than the gate: a gate
/// takes first, so that cannot be, unless something of it was put back to where it was before. A
/// gate that does not know the product is the same, if anything of it was taken.
std::optional<std::string> behind_its_record(
    std::int64_t product_id, std::int64_t supplied, std::int64_t stock,
    const std::optional<gate_levels::levels::product>& at_gate);

}  // namespace flashsale::stock
