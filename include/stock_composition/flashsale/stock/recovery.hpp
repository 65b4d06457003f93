#pragma once

// A shard's lease and epoch, and its gate rebuilt from the record.
// Everything here blocks; an error's text is for people.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/uuid.hpp"
#include "flashsale/stock.hpp"
#include "flashsale/stock/gate_loader.hpp"
#include "flashsale/stock/given_back.hpp"
#include "flashsale/stock/module.hpp"

namespace flashsale::stock {

struct shard_state {
    enum class phase {
        never,    ///< no gate was ever opened: an absent one is not a loss
        opening,  ///< by a process that begins to serve
        open,
        rebuilding,  ///< a process has begun to rebuild its gate
    };
    phase what = phase::never;
    std::uint64_t epoch = 0;
    uuid token;           ///< under which the events of that epoch get into the log
    bool leased = false;  ///< by a session that lives; of read_shard() alone
};

/// As the database has it, whichever process has the lease.
std::expected<shard_state, std::string> read_shard(postgres::session& database,
                                                   std::uint32_t shard);

/// Takes the shard's lease or renews it, for `time` from now, or until the session ends. nullopt:
/// another has it; `by_force` takes it from that one. A holder that sleeps through its lease does
/// no harm: see below.
std::expected<std::optional<shard_state>, std::string> lease_shard(postgres::session& database,
                                                                   std::uint32_t shard,
                                                                   const uuid& holder,
                                                                   std::chrono::milliseconds time,
                                                                   bool by_force);
std::expected<void, std::string> release_shard(postgres::session& database, std::uint32_t shard,
                                               const uuid& holder);
/// Begins an attempt: raises the epoch, notes its token with it, and returns the epoch.
/// nullopt: the lease is another's, or the shard was never open. Every earlier attempt ends with
/// this: what it still does fails.
std::expected<std::optional<std::uint64_t>, std::string> begin_rebuild(postgres::session& database,
                                                                       std::uint32_t shard,
                                                                       const uuid& holder,
                                                                       const uuid& token);
/// Every token of an older epoch of the shard that was noted and not forgotten.
std::expected<std::vector<uuid>, std::string> older_tokens(postgres::session& database,
                                                           std::uint32_t shard,
                                                           std::uint64_t epoch);
/// The log takes nothing of these any more, and never will.
std::expected<void, std::string> forget_tokens(postgres::session& database,
                                               std::span<const uuid> tokens);
/// Notes another token for an open shard. False: its epoch is not this one any more, or its
/// token not `old`, or it is being rebuilt; then `fresh` must not be used.
std::expected<bool, std::string> replace_token(postgres::session& database, std::uint32_t shard,
                                               std::uint64_t epoch, const uuid& old,
                                               const uuid& fresh);
/// Renews the lease of an attempt. False: it is not the newest any more.
std::expected<bool, std::string> renew_rebuild(postgres::session& database, std::uint32_t shard,
                                               const uuid& holder, std::uint64_t epoch,
                                               std::chrono::milliseconds time);
/// Notes that the attempt's gate is loaded and may be opened. False: it is not the newest.
std::expected<bool, std::string> finish_rebuild(postgres::session& database, std::uint32_t shard,
                                                std::uint64_t epoch);

/// Older reductions of the shard are late from here on; what was being recorded as this was called
/// is recorded when it returns. Sales need no fence: theirs is the order database's.
std::expected<void, std::string> raise_fence(postgres::session& database, std::uint32_t shard,
                                             std::uint64_t epoch);

/// What of the events that a gate granted is in the ledger.
struct moved_seqs {
    std::vector<std::uint64_t> sales, reductions;
};
/// Of the products of one shard. Reads the whole ledger, in pages; what is there when it begins is
/// found.
std::expected<moved_seqs, std::string> find_moved_seqs(postgres::session& database,
                                                       std::uint32_t shard, std::uint32_t shards,
                                                       std::uint64_t epoch, const breath& breathe);
/// Before a rebuild of a gate of which the record knows nothing, by the lease's holder: its
/// epoch counts as given, and its token as one that the log may still take. False: the lease
/// is another's.
std::expected<bool, std::string> note_unknown_gate(postgres::session& database, std::uint32_t shard,
                                                   const uuid& holder, std::uint64_t epoch,
                                                   const uuid& token);

/// Units that a gate took for something that will never be recorded: the ledger takes them too, as
/// what they were to be, but without a key, and has them back by a movement `return` of the same id
/// and line, in one transaction, once. The product's `supplied` grows by them. The id's row decides
/// between this and ledger::record(), whatever other process does either, and dies: what comes
/// second is told, and changes nothing.
std::expected<given_back, std::string> give_back(postgres::session& database,
                                                 const movement& taken);
std::expected<given_back, std::string> give_back(sqlite::database& database, const movement& taken);
/// Whether an earlier call did.
std::expected<bool, std::string> is_given_back(postgres::session& database, const movement& taken);
std::expected<bool, std::string> is_given_back(sqlite::database& database, const movement& taken);

/// A shard's gate on Redis, being rebuilt.
class gate_rebuild final : public gate_attempt {
public:
    /// Blocks, by `wait`.
    gate_rebuild(waiting wait, redis::client& client, std::uint32_t shard, std::uint64_t epoch,
                 const uuid& token, const redis_gate_options& options);
    ~gate_rebuild() override;

    std::expected<void, std::string> check_server() override;
    std::expected<closing, std::string> close(std::span<const uuid> older) override;
    std::expected<bool, std::string> renew(const uuid& old) override;
    std::expected<void, std::string> for_each_survivor(
        const std::function<std::expected<void, std::string>(std::vector<std::string> events)>&
            each) override;
    std::expected<bool, std::string> begin() override;
    std::expected<void, std::string> load(
        std::span<const allocation> taken,
        const std::function<counting(std::int64_t product_id)>& counts) override;
    std::expected<void, std::string> load(std::span<const buyer_returns> buyers) override;
    std::expected<std::vector<std::int64_t>, std::string> load(
        std::span<const gate_product> products) override;
    std::expected<bool, std::string> open() override;
    std::expected<void, std::string> remove_older(const breath& breathe) override;
    std::expected<void, std::string> remove_own(const breath& breathe) override;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace flashsale::stock
