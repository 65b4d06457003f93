#pragma once

// What was set aside for a person, and what that person decides.

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"

namespace flashsale::postgres {
class session;
}
namespace flashsale::sqlite {
class database;
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

/// Blocking; one thread. An error's text is for people.
class parked_events {
public:
    virtual ~parked_events() = default;

    /// Ascending by id, those above `after`.
    virtual std::expected<std::vector<parked_row>, std::string> list(const uuid& after,
                                                                     std::size_t rows_max,
                                                                     bool dropped_too) = 0;
    virtual std::expected<std::optional<parked_row>, std::string> find(const uuid& id) = 0;
    /// Whether there is an order of this id.
    virtual std::expected<bool, std::string> order_recorded(const uuid& id) = 0;

    /// It is recorded now.
    virtual std::expected<void, std::string> forget(const uuid& id) = 0;
    /// The gate is to be asked for it again (ask_again() in recovery.hpp). Does nothing to one that
    /// holds units, or was dropped.
    virtual std::expected<void, std::string> ask_again_for(const uuid& id, std::uint32_t shard) = 0;
    /// It will never be anything; the row stays, and holds nothing.
    virtual std::expected<void, std::string> drop(const uuid& id) = 0;
};

std::unique_ptr<parked_events> make_postgres_parked_events(postgres::session& order_database);
std::unique_ptr<parked_events> make_sqlite_parked_events(sqlite::database& order_database);

}  // namespace flashsale::order
