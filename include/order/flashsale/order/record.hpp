#pragma once

// What the order database says was taken, for whoever rebuilds a gate from the record, and for the
// audit. For the composition only.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/uuid.hpp"
#include "flashsale/events/event.hpp"

namespace flashsale::postgres {
class session;
}
namespace flashsale::sqlite {
class database;
}

namespace flashsale::order {

/// An order, for the audit.
struct recorded_order {
    uuid id;
    std::int64_t user_id = 0;
    std::int64_t product_id = 0;
    std::int64_t quantity = 0;
    std::string idempotency_key;
    std::uint64_t generation = 0;
    std::uint64_t seq = 0;
};

struct parked_event {
    uuid id;
    std::string event;
    std::string reason;
    bool holds_units = true;  ///< at the gate; not so if a gate has refused it
};

/// A gate rebuilt from the record has to know each order's key and buyer, and that its units are
/// gone: so for the recorded orders, and for parked events, which keep their units until a person
/// decides. The same id may be in both: it took its units once.
///
/// Blocking; one thread. An error's text is for people. Pages are exact while nothing is recorded,
/// as behind a barrier of a closed gate.
class record_reader {
public:
    virtual ~record_reader() = default;

    struct page {
        std::vector<events::event> events;  ///< ascending by id
        std::optional<uuid> next;           ///< `after` of the next page; nullopt: the last one
    };

    /// Orders of the products of one shard (stock::shard_of). From the first page, `after` is the
    /// nil UUID. `rows_max` bounds what is read, so a page may be empty and not the last.
    virtual std::expected<page, std::string> orders(std::uint32_t shard, std::uint32_t shards,
                                                    uuid after, std::size_t rows_max) = 0;

    /// Parked events, orders and reductions, that hold units of such products.
    virtual std::expected<page, std::string> parked(std::uint32_t shard, std::uint32_t shards,
                                                    uuid after, std::size_t rows_max) = 0;

    /// Those of the ids that are in one of the two.
    virtual std::expected<std::vector<uuid>, std::string> recorded(std::span<const uuid> ids) = 0;

    // For the audit: all as of one instant.

    virtual std::expected<void, std::string> for_each_order(
        const std::function<void(recorded_order)>& each) = 0;
    virtual std::expected<void, std::string> for_each_parked(
        const std::function<void(parked_event)>& each) = 0;
    /// Ids of events that came behind a newer barrier, and for which the gate is still to be asked.
    virtual std::expected<std::vector<uuid>, std::string> late() = 0;
};

std::unique_ptr<record_reader> make_postgres_record_reader(postgres::session& order_database);
std::unique_ptr<record_reader> make_sqlite_record_reader(sqlite::database& order_database);

}  // namespace flashsale::order
