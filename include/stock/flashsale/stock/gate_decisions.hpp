#pragma once

// The port to what decides, atomically, which request gets a unit.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/currency.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/stock/reservation.hpp"

namespace flashsale::stock {

/// What the gate needs to know of a product.
struct gate_product {
    std::int64_t id = 0;
    std::int64_t supplied = 0;  ///< all units ever given
    std::int64_t price = 0;
    std::optional<std::int64_t> per_user_limit;
    std::optional<timestamp> sale_starts_at;
    std::optional<timestamp> sale_ends_at;
    currency_code currency = {};         ///< of the price; it never changes
    std::uint32_t payment_window_s = 0;  ///< how long units are held for payment; 0: sold outright
};

/// What a buyer of a product with a limit took, and has returned, in all.
struct buyer_returns {
    std::int64_t product_id = 0;
    std::int64_t user_id = 0;
    std::int64_t returned = 0;
};
/// What a gate is told after units have returned: cumulative numbers, as the stock database has
/// them. See returns.hpp.
struct returned_units {
    std::vector<gate_product> products;  ///< each once; `supplied` includes what has returned
    std::vector<buyer_returns> buyers;   ///< each once; of products with a limit alone
};

/// Used by one thread, that of the io_context it was made for; calls back there, exactly once.
class gate_decisions {
public:
    virtual ~gate_decisions() = default;

    /// How many reservations go together, how many such batches per shard at a time, and how many
    /// reservations must wait for a batch to go beside another, so that this gate is at its best.
    struct batching_limits {
        std::size_t reservations_max = 1;
        std::size_t batches_in_flight_max = 1;
        std::size_t beside_another_min = 1;
        /// While others are on their way a reservation waits this long for its neighbours, but not
        /// once so many have gathered.
        std::chrono::microseconds gather_max{0};
        std::size_t gathered_enough = 1;
    };
    virtual batching_limits batching() const = 0;

    /// One decision for each reservation, in their order; all of one shard. Several reasons to
    /// refuse: the first of product_not_found, idempotency_key_reused, sale_not_open or sale_over,
    /// price_changed, purchase_limit, out_of_stock, total_too_high, overloaded, high_traffic.
    virtual void reserve(std::vector<reservation> batch, callback<std::vector<decision>> done) = 0;

    /// Tells the gate what a product was given in all, as the stock database has it. Idempotent.
    virtual void give(std::vector<gate_product> products,
                      callback<std::expected<void, errc>> done) = 0;

    /// The same after returns: a product and its buyers in one atomic step. Idempotent; may mix
    /// shards, and an error may come after a part of it.
    virtual void take_returns(returned_units what, callback<std::expected<void, errc>> done) = 0;
};

}  // namespace flashsale::stock
