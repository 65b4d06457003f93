#pragma once

// What the sweep and a reopening ask of the order database. For the composition only. Everything
// here blocks; an error's text is for people.

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/uuid.hpp"
#include "flashsale/events/event.hpp"
#include "flashsale/stock.hpp"

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
/// recorded when it returns.
std::expected<void, std::string> raise_fence(postgres::session& order_database, std::uint32_t shard,
                                             std::uint64_t generation);

/// What an order or a reduction is in the ledger.
stock::movement movement_of(const events::event& one);

struct late_report {
    std::size_t asked = 0;
    std::size_t settled = 0;              ///< recorded, or a twin of another order
    std::size_t refused = 0;              ///< parked, without units
    std::vector<std::string> to_publish;  ///< complete events that the gate has granted
    uuid token;                           ///< of that gate
};

/// Asks the gate again for late events, at most `events_max` of a shard, and acts on its answers.
/// Runs `io`, the gate's, until it has them.
std::expected<late_report, std::string> ask_again(postgres::session& order_database,
                                                  asio::io_context& io, stock::gate& gate,
                                                  std::uint32_t shard, std::size_t events_max);

}  // namespace flashsale::order
