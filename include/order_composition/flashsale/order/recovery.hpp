#pragma once

// What the reconciler and a rebuild ask of the order database. Everything here blocks; an
// error's text is for people.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"
#include "flashsale/base/waiting.hpp"
#include "flashsale/events/event.hpp"
#include "flashsale/order/allocation_of.hpp"
#include "flashsale/stock.hpp"
#include "flashsale/stock/gate_decisions.hpp"

namespace flashsale::postgres {
class session;
}

namespace flashsale::order {

/// Whether the recorder has recorded the barrier, and so all that was published before it.
std::expected<bool, std::string> barrier_recorded(postgres::session& order_database,
                                                  const uuid& barrier);

/// Of these events, those that the order database knows: recorded, parked or late.
std::expected<std::vector<uuid>, std::string> known_events(postgres::session& order_database,
                                                           std::span<const uuid> ids);

/// Older events of the shard are late from here on; what was being recorded as this was called is
/// recorded when it returns. `begun_at`: when the rebuild began, by the clock of this process.
std::expected<void, std::string> raise_fence(postgres::session& order_database, std::uint32_t shard,
                                             std::uint64_t epoch, timestamp begun_at);

/// What of the events that a gate granted is in the order database.
struct known_seqs {
    std::vector<std::uint64_t> orders;
    std::vector<std::uint64_t> set_aside;  ///< parked, dropped or late: orders and reductions
    std::size_t unreadable = 0;            ///< set aside; each may be any
};
/// Of the products of one shard. Reads all orders, in pages; what is there when it begins is found.
/// `breathe` is called between them, and ends it with an error.
std::expected<known_seqs, std::string> find_known_seqs(
    postgres::session& order_database, std::uint32_t shard, std::uint32_t shards,
    std::uint64_t epoch, const std::function<std::expected<void, std::string>()>& breathe);

/// What an order or a reduction is in the ledger; nullopt: it took no units.
stock::movement movement_of(const events::order_accepted& one);
stock::movement movement_of(const events::stock_reduced& one);
std::optional<stock::movement> movement_of(const events::event& one);
stock::movement movement_of(stock::allocation one);

struct late_report {
    std::size_t asked = 0;
    std::size_t resolved = 0;             ///< recorded, or a twin of another order
    std::size_t refused = 0;              ///< parked, without units
    std::vector<std::string> to_publish;  ///< complete events that the gate has granted
    uuid token;                           ///< of that gate
    std::optional<uuid> next;             ///< `after` of the next page; nullopt: the last one
};

struct late_page {
    std::vector<stock::allocation> rows;  ///< what they take
    std::optional<uuid> next;             ///< `after` of the next page; nullopt: the last one
};

/// The port to the events that came behind their shard's fence. Blocking; one thread.
class late_store {
public:
    virtual ~late_store() = default;

    /// At most `events_max` of a shard, those behind `after`.
    virtual std::expected<late_page, std::string> page(std::uint32_t shard, const uuid& after,
                                                       std::size_t events_max) = 0;
    /// The databases have these, or their twins.
    virtual std::expected<void, std::string> forget(std::span<const uuid> ids) = 0;
    /// Parks one, without units.
    virtual std::expected<void, std::string> park(const uuid& id, const std::string& reason) = 0;
};

std::unique_ptr<late_store> make_postgres_late_store(postgres::session& order_database);

/// Asks the gate again for late events, a page of at most `events_max` of a shard, those behind
/// `after` (the nil UUID at first), and acts on its answers. What cannot be decided yet stays, and
/// is asked for again when the pages begin anew. Waits for the gate's answers by `wait`.
std::expected<late_report, std::string> ask_again(late_store& late, stock::gate_decisions& gate,
                                                  const waiting& wait, std::uint32_t shard,
                                                  const uuid& after, std::size_t events_max);

/// The port to what else recovery asks of the order database; each is what the function of the same
/// name says. Blocking; one thread.
class recovery_store {
public:
    virtual ~recovery_store() = default;

    virtual std::expected<bool, std::string> barrier_recorded(const uuid& barrier) = 0;
    virtual std::expected<std::vector<uuid>, std::string> known_events(
        std::span<const uuid> ids) = 0;
    virtual std::expected<void, std::string> raise_fence(std::uint32_t shard, std::uint64_t epoch,
                                                         timestamp begun_at) = 0;
    virtual std::expected<known_seqs, std::string> find_known_seqs(
        std::uint32_t shard, std::uint32_t shards, std::uint64_t epoch,
        const std::function<std::expected<void, std::string>()>& breathe) = 0;

    /// An error: it is not there.
    virtual std::expected<void, std::string> answers() = 0;
    /// An error where it is a standby, which may be a little behind, and is no record.
    virtual std::expected<void, std::string> require_primary() = 0;
    /// How many sessions were made: another number than before, and it may be another server.
    virtual std::uint64_t sessions() const = 0;
};

std::unique_ptr<recovery_store> make_postgres_recovery_store(postgres::session& order_database);

}  // namespace flashsale::order
