#pragma once

// What was set aside for a person, and what he decides. For the composition only. Everything here
// blocks; an error's text is for people.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"

namespace flashsale::postgres {
class session;
}

namespace flashsale::order {

struct parked_row {
    uuid id;
    std::string event;  ///< as it came
    std::string reason;
    bool holds_units = false;  ///< at the gate
    timestamp created_at;
    std::optional<timestamp> dropped_at;
};

/// Ascending by id, those above `after`.
std::expected<std::vector<parked_row>, std::string> list_parked(postgres::session& order_database,
                                                                const uuid& after,
                                                                std::size_t rows_max,
                                                                bool dropped_too);
std::expected<std::optional<parked_row>, std::string> find_parked(postgres::session& order_database,
                                                                  const uuid& id);

/// It is recorded now.
std::expected<void, std::string> forget_parked(postgres::session& order_database, const uuid& id);
/// The gate is to be asked for it again (ask_again() in recovery.hpp).
std::expected<void, std::string> parked_to_late(postgres::session& order_database, const uuid& id,
                                                std::uint32_t shard);
/// It will never be anything; the row stays, and holds nothing.
std::expected<void, std::string> drop_parked(postgres::session& order_database, const uuid& id);

/// Whether there is an order of this id.
std::expected<bool, std::string> order_recorded(postgres::session& order_database, const uuid& id);

}  // namespace flashsale::order
