#pragma once

// The port through which the recorder writes the order database.

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/uuid.hpp"
#include "flashsale/events/event.hpp"
#include "flashsale/events/log.hpp"

namespace flashsale::postgres {
class session;
}
namespace flashsale::sqlite {
class database;
}

namespace flashsale::order {

struct recording_report {
    std::size_t fresh = 0;       ///< orders that were not there before
    std::size_t duplicates = 0;  ///< orders that were
    std::vector<uuid> parked;    ///< of orders that can never be recorded
    std::vector<uuid> late;      ///< of orders that must not be: the gate is asked again for them
};

/// An event to be set aside, and why.
struct parking {
    uuid id;
    std::string event;
    std::string reason;
};

/// Blocking; one thread. An error means that nothing, or an unknown part, was recorded, and that
/// the same call has to be made again; its text is for people.
class recording {
public:
    virtual ~recording() = default;

    /// One batch in one transaction. Inserts the orders, each once, by id; parks poison, and orders
    /// that the database refuses, with the reason. Orders older than their shard's fence
    /// (raise_fence() in recovery.hpp), which stays as it is until the transaction has ended, are
    /// kept as by keep_late(). A file has no fences: one process owns it.
    virtual std::expected<recording_report, std::string> record(
        std::span<const events::order_accepted> orders, std::span<const events::poison> poison) = 0;

    /// Parks events after the fact, each once, by id; one that is older than the fence is kept.
    virtual std::expected<void, std::string> park(std::span<const parking> events) = 0;
    /// Keeps orders and reductions for the gate to be asked again, but those that are recorded or
    /// parked already.
    virtual std::expected<void, std::string> keep_late(std::span<const events::event> late) = 0;

    /// Orders of which the ledger says that their units were given back: a person dropped them
    /// while they were being recorded. Removes those that were parked.
    virtual std::expected<void, std::string> take_back(std::span<const uuid> orders) = 0;

    /// Records barriers, each once, by id.
    virtual std::expected<void, std::string> record_barriers(
        std::span<const events::barrier> barriers) = 0;
};

/// Without a fence nothing is late: for a parked event, for which every gate since has kept units,
/// and where the gate is the database, which is never rebuilt.
std::unique_ptr<recording> make_postgres_recording(postgres::session& order_database,
                                                   bool fenced = true);
std::unique_ptr<recording> make_sqlite_recording(sqlite::database& order_database);

}  // namespace flashsale::order
