#pragma once

// The port to what the stock database knows of each shard: its lease, its epoch, its tokens,
// and what recovery asks of the ledger. Blocking; one thread. An error's text is for people.

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/uuid.hpp"
#include "flashsale/stock/recovery.hpp"

namespace flashsale::stock {

/// Each is what the function of the same name in recovery.hpp says.
class shard_registry {
public:
    virtual ~shard_registry() = default;

    virtual std::expected<shard_state, std::string> read(std::uint32_t shard) = 0;
    virtual std::expected<std::optional<shard_state>, std::string> lease(
        std::uint32_t shard, const uuid& holder, std::chrono::milliseconds time, bool by_force) = 0;
    virtual std::expected<void, std::string> release(std::uint32_t shard, const uuid& holder) = 0;

    virtual std::expected<std::optional<std::uint64_t>, std::string> begin_rebuild(
        std::uint32_t shard, const uuid& holder, const uuid& token) = 0;
    virtual std::expected<std::vector<uuid>, std::string> older_tokens(std::uint32_t shard,
                                                                       std::uint64_t epoch) = 0;
    virtual std::expected<void, std::string> forget_tokens(std::span<const uuid> tokens) = 0;
    virtual std::expected<bool, std::string> replace_token(std::uint32_t shard, std::uint64_t epoch,
                                                           const uuid& old, const uuid& fresh) = 0;
    virtual std::expected<bool, std::string> renew_rebuild(std::uint32_t shard, const uuid& holder,
                                                           std::uint64_t epoch,
                                                           std::chrono::milliseconds time) = 0;
    virtual std::expected<bool, std::string> finish_rebuild(std::uint32_t shard,
                                                            std::uint64_t epoch) = 0;
    virtual std::expected<void, std::string> raise_fence(std::uint32_t shard,
                                                         std::uint64_t epoch) = 0;

    virtual std::expected<moved_seqs, std::string> find_moved_seqs(std::uint32_t shard,
                                                                   std::uint32_t shards,
                                                                   std::uint64_t epoch,
                                                                   const breath& breathe) = 0;
    virtual std::expected<bool, std::string> note_unknown_gate(std::uint32_t shard,
                                                               const uuid& holder,
                                                               std::uint64_t epoch,
                                                               const uuid& token) = 0;

    /// What sales say of their products, and a process died before it was said, stands in the rows
    /// of those from here on.
    virtual std::expected<void, std::string> sync_sales() = 0;
    /// Takes back a change that the gate refuses as too late, if that revision still stands: a
    /// limit that has come or gone, and a deletion, which becomes an archiving.
    virtual std::expected<void, std::string> undo_terms(std::int64_t product_id,
                                                        std::int64_t revision) = 0;

    /// An error where it is a standby, which may be a little behind, and is no record.
    virtual std::expected<void, std::string> require_primary() = 0;
    /// How many sessions were made: another number than before, and it may be another server.
    virtual std::uint64_t sessions() const = 0;
};

std::unique_ptr<shard_registry> make_postgres_shard_registry(postgres::session& stock_database);

}  // namespace flashsale::stock
