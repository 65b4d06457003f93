#pragma once

// Lists of orders, and up to when they are complete.

#include <flashsale/stock/gate_view.hpp>
#include <flashsale/user.hpp>

#include <memory>
#include <optional>
#include <vector>

#include "order_walk.hpp"
#include "outbox_view.hpp"
#include "service.hpp"

namespace flashsale::order {

/// `complete_until`, by the gate's clock: every order accepted before is in it, or would be if its
/// page were large enough. nullopt: not known.
struct user_orders {
    std::vector<order> items;
    std::optional<timestamp> complete_until;
};
struct product_orders {
    std::vector<recorded_order_view> items;
    std::optional<timestamp> complete_until;
};

/// All orders of a list. Its first page has been read already: what can fail from the start has
/// not.
struct begun_walk {
    std::unique_ptr<order_walk> rest;
    std::vector<order> first;
    std::optional<timestamp> complete_until;  ///< as above, of the walk as a whole
};

/// One per worker, on its thread.
class order_lists {
public:
    order_lists(asio::io_context& io, store& record, user::directory& users,
                stock::outbox_pages& outbox, stock::gate_view& units, std::uint32_t shards)
        : store_(record), users_(users), units_(units), waiting_(io, outbox, record, shards) {}

    /// Newest first, those before `before`; recorded or not.
    awaitable<std::expected<user_orders, failure>> of_user(std::int64_t user_id,
                                                           std::optional<uuid> before,
                                                           std::int64_t limit);
    /// As they were recorded, those behind `after`. For a product that has none the gate is asked
    /// whether it exists.
    awaitable<std::expected<product_orders, failure>> of_product(std::int64_t product_id,
                                                                 std::int64_t after,
                                                                 std::int64_t limit);

    awaitable<std::expected<begun_walk, failure>> walk_of_user(std::int64_t user_id);
    awaitable<std::expected<begun_walk, failure>> walk_of_product(std::int64_t product_id);

private:
    awaitable<std::expected<void, failure>> require_user(std::int64_t user_id);
    awaitable<std::expected<void, failure>> require_product(std::int64_t product_id);

    store& store_;
    user::directory& users_;
    stock::gate_view& units_;
    outbox_view waiting_;
};

}  // namespace flashsale::order
