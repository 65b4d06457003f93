#pragma once

// A list of orders from end to end, a page at a time: what an export is made of. A page is read
// when it is asked for, from where the last one ended, so between two nothing is held but that
// place: no connection, no transaction, no cursor of the database's.

#include <flashsale/order.hpp>
#include <flashsale/order/store.hpp>

#include <optional>
#include <vector>

#include "service.hpp"

namespace flashsale::order {

inline constexpr std::int64_t walk_page_orders = 1'000;

/// On the worker's thread, for no longer than the store.
class order_walk {
public:
    virtual ~order_walk() = default;

    using page = std::expected<std::vector<order>, errc>;
    /// At most walk_page_orders; none: that was all. One call at a time.
    virtual awaitable<page> next() = 0;
};

/// All of a user's orders: first those that are not recorded yet, then the others, by product and
/// key. That is the order of the index that finds them: by time, each page would have to look at
/// all that are left of the user's.
class user_walk final : public order_walk {
public:
    /// `waiting`: those that were not recorded when the walk began.
    user_walk(store& record, std::int64_t user_id, std::vector<order> waiting);
    awaitable<page> next() override;

private:
    store& store_;
    const std::int64_t user_id_;
    std::vector<order> waiting_;  ///< by id
    std::size_t waiting_shown_ = 0;
    user_order_place after_;
    bool ended_ = false;
};

/// A product's orders as they were recorded, up to those that are when it comes there.
class product_walk final : public order_walk {
public:
    product_walk(store& record, std::int64_t product_id)
        : store_(record), product_id_(product_id) {}
    awaitable<page> next() override;

private:
    store& store_;
    const std::int64_t product_id_;
    std::int64_t after_ = 0;
    bool ended_ = false;
};

}  // namespace flashsale::order
