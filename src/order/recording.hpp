#pragma once

// One batch of events into the order database, in one transaction.

#include <flashsale/events/log.hpp>

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "late_event.hpp"

namespace flashsale::postgres {
class session;
}

namespace flashsale::order {

struct recording_report {
    std::size_t fresh = 0;       ///< orders that were not there before
    std::size_t duplicates = 0;  ///< orders that were
    std::vector<uuid> parked;    ///< of orders that can never be recorded
};

/// Inserts the orders, each once, by id; parks poison, and orders that the database refuses, with
/// the reason, in the same transaction; keeps late events for the gate to be asked again, but those
/// that are recorded or parked already. Blocking. An error means that nothing, or an unknown part,
/// was recorded, and that the same call has to be made again.
std::expected<recording_report, std::string> record_orders(postgres::session& database,
                                                           std::span<const events::event> orders,
                                                           std::span<const events::poison> poison,
                                                           std::span<const events::event> late);

/// The barriers that have been recorded. Blocking.
std::expected<barrier_generations, std::string> passed_barriers(postgres::session& database);
/// Records barriers, each once, by id. Blocking.
std::expected<void, std::string> record_barriers(postgres::session& database,
                                                 std::span<const events::event> barriers);

/// Parks events after the fact, each once, by id.
struct parking {
    uuid id;
    std::string event;
    std::string reason;
};
std::expected<void, std::string> park(postgres::session& database, std::span<const parking> events);

}  // namespace flashsale::order
