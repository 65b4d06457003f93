#pragma once

// The arithmetic that proves the promises; no I/O. What it adds up was read in an order that makes
// each sum exact while the sale runs (reader.hpp), so a fault here is a fault, not a race.

#include <flashsale/audit/balance_sums.hpp>
#include <flashsale/audit/life_record.hpp>
#include <flashsale/order/record.hpp>
#include <flashsale/stock/allocation.hpp>
#include <flashsale/stock/record.hpp>
#include <flashsale/stock/recovery.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace flashsale::audit {

/// A product at the gate, and the seq at which it was read: what has a later one is not in it.
struct gate_level {
    std::int64_t free = 0;
    std::int64_t supplied = 0;
    std::uint64_t epoch = 0;
    std::uint64_t seq = 0;
};

/// A shard's gate as it was before anything else was read, and what it lists.
struct gate_shard {
    std::uint32_t number = 0;
    std::uint64_t epoch = 0;
    std::uint64_t seq = 0;
    std::set<std::int64_t> products = {};
    /// As the stock database has it, read behind the gate; nullopt where no gate outlives its
    /// process.
    std::optional<stock::shard_state> recorded = {};
};

using allocations =
    std::unordered_map<stock::allocation_id, stock::allocation, stock::allocation_id_hash>;

struct audit_record {
    /// Why the gate could not be read; then only the databases are compared.
    std::optional<std::string> gate_fault;
    /// The products table is the gate: stock is free, and movements come before orders.
    bool gate_is_database = false;

    /// Empty where the gate could not be read, or lives in the record itself.
    std::vector<gate_shard> shards;
    /// Of the products known at first; all zero where the gate was not told of one yet.
    std::map<std::int64_t, gate_level> levels;
    /// Supplied at the gate, read once more a moment after the ledger, of products that were behind
    /// it.
    std::map<std::int64_t, std::int64_t> supplied_later;
    allocations outbox;
    std::map<std::int64_t, stock::recorded_product> products;
    allocations movements;  ///< of the ledger
    allocations orders;
    std::vector<order::parked_event> parked;
    /// Events that an operator dropped, as far as they can be read.
    std::vector<stock::allocation> dropped;
    std::size_t dropped_unreadable = 0;
    /// Of an older epoch, behind its fence: the newer gate is still to be asked, or has
    /// refused; either way they hold nothing.
    std::vector<order::late_event> late;
    std::vector<order::raised_fence> fences;
    /// Of the user database, page by page; each is exact, and none depends on what else was read.
    balance_sums balances;
    life_record life;
    /// Nothing was on its way, and nothing was taken while all this was read.
    bool at_rest = false;
};

/// A late event, and what an operator needs to know of it.
struct late_finding {
    uuid id;
    std::optional<stock::allocation> asked;  ///< nullopt: it cannot be read
    timestamp created_at{};                  ///< if it can
    bool refused = false;
    std::optional<timestamp> published_at;
    /// Of the first rebuild that shut its epoch out; nullopt: none is noted.
    std::optional<order::raised_fence> shut_out_by;
    /// A client may have been told 201. Not so if it was last published before that rebuild
    /// began: its confirm then came later than any that counts, or it would have been recorded in
    /// front of the fence.
    bool perhaps_answered = true;
};

/// One sum that does not hold.
struct audit_fault {
    std::int64_t product_id = 0;    ///< 0: not of one product
    std::string sum;                ///< `stock = sum of movements`
    std::string found;              ///< `stock 10, movements 9`
    std::vector<uuid> orders = {};  ///< those at fault, where they can be told
    std::int64_t user_id = 0;       ///< 0: not of one user
};

/// Refunds that are pending. No fault: the shop gives the money back, and confirms it.
struct owed_money {
    std::size_t refunds = 0;
    std::int64_t amount = 0;  ///< minor units, of whatever currencies; at most 2^63 - 1
    std::optional<timestamp> since = {};
    std::size_t placing = 0;  ///< late payments that still ask for units
};

struct audit_result {
    std::vector<audit_fault> faults;
    std::vector<late_finding> late_events;
    owed_money owed;
    std::int64_t supplied = 0, stock = 0, free = 0, sold = 0, reduced = 0, returned = 0;
    std::size_t users = 0, products = 0, orders = 0, outbox = 0, parked = 0;
    std::size_t late = 0;  ///< of which the gate is still to be asked
    bool gate_checked = false;
    bool at_rest = false;

    bool holds() const { return faults.empty(); }
};

audit_result add_up(const audit_record& record);

/// Parts of add_up().
void check_balances(const balance_sums& read, audit_result& into);
void check_life(const audit_record& record, audit_result& into);
/// Of which it is to be asked whether they have returned by now.
std::vector<stock::allocation_id> ended_without_return(const audit_record& record);
void check_sale_limits(const audit_record& record, audit_result& into);
void check_payments(const life_record& read, audit_result& into);

}  // namespace flashsale::audit
