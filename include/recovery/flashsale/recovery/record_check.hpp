#pragma once

// Whether the record knows what a shard's gate has granted. It does not if a database was restored
// from an older backup, or lost what it had committed: a gate that sells on, or is rebuilt from
// such a record, would sell the lost units again.
//
// No false alarm is possible, whatever happens meanwhile:
//   - the gate numbers what it grants under an epoch, without a gap, and an event leaves its
//     outbox only when both databases have it, as an order, a movement, or set aside. So every
//     number up to the gate's seq, read first, is in the outbox, read after that, or in the
//     databases, read last. What is pruned in between is in the databases by then
//   - what is set aside is read before the orders, and those before the ledger: that is the way
//     that `flashsale parked` moves an event. What it drops keeps its row
//   - a standby is not asked, nor a server that was another one in the middle
//   - a rebuild changes the epoch: then there is no statement
//   - an epoch is raised in the stock database before any gate has it; products and restocks
//     are there before the gate is told

#include <expected>
#include <optional>
#include <string>
#include <unordered_map>

#include <flashsale/order/recovery.hpp>
#include <flashsale/stock/gate_account.hpp>
#include <flashsale/stock/gate_loader.hpp>
#include <flashsale/stock/record.hpp>
#include <flashsale/stock/shard_registry.hpp>

namespace flashsale::recovery {

/// What was read of the record, after the gate.
struct recorded_account {
    order::known_seqs in_orders;
    stock::moved_seqs in_ledger;
    std::unordered_map<std::int64_t, std::int64_t> supplied;  ///< of each product of the shard
};

/// What the record lacks, for people; nullopt: nothing.
std::optional<std::string> behind_its_gate(const stock::gate_account& gate,
                                           const recorded_account& record);

/// The stock database has never heard of the gate's epoch.
bool older_than_its_gate(const stock::gate_header& gate, const stock::shard_state& known);
std::string older_text(std::uint32_t shard, std::uint64_t epoch, const stock::shard_state& known);
/// What is said of a shard whose record is behind its gate.
std::string behind_text(std::uint32_t shard, const std::string& why);

struct record_check {
    stock::gate_admin& gate;  ///< the shard's
    stock::shard_registry& registry;
    stock::record_reader& products;
    order::recovery_store& order_database;
    std::uint32_t shard, shards;
    stock::breath breathe;
};

struct record_verdict {
    enum class kind {
        whole,   ///< or there is nothing to compare it with, or a person has accepted it
        behind,  ///< it lacks what the gate, of the same epoch, has granted or was given
        older,   ///< it does not know of the gate at all
    };
    kind what = kind::whole;
    std::string why = {};                           ///< for people
    std::optional<stock::gate_header> header = {};  ///< of the gate that was compared, or accepted
};

/// Blocking. An error: it cannot be told now.
std::expected<record_verdict, std::string> check_record(const record_check& uses);

/// The same; and a gate whose record is behind it is held. `newly`, if so, is set to whether it was
/// not before.
std::expected<record_verdict, std::string> check_and_hold(const record_check& uses,
                                                          bool* newly = nullptr);

}  // namespace flashsale::recovery
