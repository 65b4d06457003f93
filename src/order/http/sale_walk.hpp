#pragma once

// The recorded orders of a sale: product by product, each as its orders were recorded.

#include <cstdint>
#include <vector>

#include "order_walk.hpp"

namespace flashsale::order {

/// Where a list of a sale's orders has come to: the next is behind `after` among the product's.
struct sale_place {
    std::int64_t product_id = 0;
    std::int64_t after = 0;
};

/// On the worker's thread, for no longer than the store.
class sale_walk final : public order_walk {
public:
    /// `products` ascending; those before the place's are left out.
    sale_walk(store& record, std::vector<std::int64_t> products, sale_place from = {});
    awaitable<page> next() override { return next(walk_page_orders); }

    /// At most so many, and fewer only at the end.
    awaitable<page> next(std::int64_t orders_max);
    /// Behind what next() has answered.
    sale_place place() const { return place_; }

private:
    store& store_;
    const std::vector<std::int64_t> products_;
    std::size_t at_ = 0;
    sale_place place_;
};

}  // namespace flashsale::order
