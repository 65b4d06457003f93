#pragma once

// The port to the module's record as the HTTP workers read it. Writing is recording.hpp.

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/order.hpp"
#include "flashsale/order/life.hpp"

namespace flashsale::postgres {
class pool;
}
namespace flashsale::sqlite {
class queue;
}

namespace flashsale::order {

enum class store_errc { overloaded, dependency_unavailable };

struct recorded_order_view {
    order what;
    std::int64_t position = 0;  ///< in the order of recording; from 1, with gaps
};

/// Where an order stands among those of its user: by product, then by key, bytes compared as the
/// database does.
struct user_order_place {
    std::int64_t product_id = 0;
    std::string idempotency_key = {};
};
struct user_order {
    order what;
    user_order_place place;
};

/// Used by one thread, that of the io_context it was made for; answers there.
class store {
public:
    virtual ~store() = default;

    virtual awaitable<std::expected<std::optional<order>, store_errc>> find(uuid id) = 0;
    /// Those for an order, the oldest first.
    virtual awaitable<std::expected<std::vector<payment>, store_errc>> payments(uuid order_id) = 0;
    /// What became of an order since it was accepted, the oldest change first.
    virtual awaitable<std::expected<std::vector<order_change>, store_errc>> changes(
        uuid order_id) = 0;
    /// The event of this id, if it is parked and holds units: accepted, and not recorded.
    virtual awaitable<std::expected<std::optional<std::string>, store_errc>> find_parked(
        uuid id) = 0;
    /// The epoch of the newest gate of a shard that the record was read for; 0: of none.
    virtual awaitable<std::expected<std::uint64_t, store_errc>> newest_gate(
        std::uint32_t shard) = 0;
    /// A user's orders, newest first, those before `before` if it is given.
    virtual awaitable<std::expected<std::vector<order>, store_errc>> list(
        std::int64_t user_id, std::optional<uuid> before, std::int64_t limit) = 0;
    /// A user's orders by their places, those behind `after`. A page costs what it brings, however
    /// many there are.
    virtual awaitable<std::expected<std::vector<user_order>, store_errc>> list_by_key(
        std::int64_t user_id, user_order_place after, std::int64_t limit) = 0;
    /// A product's orders in the order in which they were recorded, those behind `after`. What is
    /// recorded later comes behind all that was ever seen.
    virtual awaitable<std::expected<std::vector<recorded_order_view>, store_errc>> list_of_product(
        std::int64_t product_id, std::int64_t after, std::int64_t limit) = 0;
};

std::unique_ptr<store> make_postgres_store(postgres::pool& database);
std::unique_ptr<store> make_sqlite_store(sqlite::queue& database, asio::io_context& io);

}  // namespace flashsale::order
