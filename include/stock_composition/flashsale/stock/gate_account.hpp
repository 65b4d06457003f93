#pragma once

// What a shard's gate has granted, by its own keys, whether it is open or not: to be compared with
// the record, which may be an older one (restored from a backup). And the mark by which a gate
// whose record knows less than it does is kept from being rebuilt. Blocks, by `wait`; an error's
// text is for people.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flashsale/stock/gate_server.hpp"
#include "flashsale/stock/recovery.hpp"

namespace flashsale::stock {

struct gate_account {
    gate_header header;  ///< read first: events up to its seq were granted under its epoch
    std::vector<std::uint64_t> waiting;  ///< seq of those that were in the outbox later on
    std::size_t unreadable = 0;          ///< entries of the outbox; each may be any
    std::vector<std::pair<std::int64_t, std::int64_t>> supplied;  ///< product, and units ever given
};

/// nullopt: there is nothing to compare. No gate is there, or another deployment's, or keys of it
/// were evicted. An error also if the gate was replaced while it was read.
std::expected<std::optional<gate_account>, std::string> read_gate_account(
    const waiting& wait, redis::client& client, std::uint32_t shard,
    const redis_gate_options& options, const breath& breathe);

enum class holding {
    now,
    before,
    refused,  ///< another gate is there, or the record was accepted as it is: nothing was changed
};
/// Shuts the gate, if it is still of that epoch, and notes why in its header, in one step: no
/// rebuild goes past that.
std::expected<holding, std::string> hold_gate(const waiting& wait, redis::client& client,
                                              std::uint32_t shard, std::uint64_t epoch,
                                              const std::string& why,
                                              const redis_gate_options& options);
/// Takes the mark away; the gate stays closed. `accepted`: and no such mark is put on it again.
/// False: another gate is there.
std::expected<bool, std::string> release_gate(const waiting& wait, redis::client& client,
                                              std::uint32_t shard, std::uint64_t epoch,
                                              bool accepted, const redis_gate_options& options);

}  // namespace flashsale::stock
