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

/// Why nothing of a product is sold, whatever its window says.
enum class halt : std::uint8_t {
    none,
    paused,    ///< its sale is
    ended,     ///< its sale has, by hand
    archived,  ///< the product itself is not sold any more
    deleted,   ///< nor was it ever; to buyers it does not exist
};

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
    /// Counts the changes of price, limits, window and halt, which go together: a gate takes those
    /// of a higher revision than it has, and no others.
    std::int64_t revision = 0;
    halt halted = halt::none;
    std::int64_t sale_id = 0;
    std::int64_t sale_limit = 0;  ///< units per user over all products of the sale; 0: none
    /// Of the product's shard as the record had it when this was read: no older gate's answer
    /// counts.
    std::uint64_t epoch = 0;

    /// Whether units of a buyer are counted.
    bool counts_buyers() const { return per_user_limit.has_value() || sale_limit != 0; }
    /// The sale over whose products they are counted too; 0: none.
    std::int64_t counting_sale() const { return sale_limit != 0 ? sale_id : 0; }
};

/// What a buyer of a product with a limit took, and has returned, in all.
struct buyer_returns {
    std::int64_t product_id = 0;
    std::int64_t user_id = 0;
    std::int64_t returned = 0;
    std::int64_t sale_id = 0;  ///< gate_product::counting_sale()
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
    /// refuse: the first of product_not_found, idempotency_key_reused, one of a halt, sale_not_open
    /// or sale_over, price_changed, purchase_limit, out_of_stock, total_too_high, overloaded,
    /// high_traffic.
    virtual void reserve(std::vector<reservation> batch, callback<std::vector<decision>> done) = 0;

    /// Tells the gate what a product was given in all, and what it is sold by, as the stock
    /// database has it. Idempotent. A limit, where there was none or there is to be none, and
    /// `deleted` come before the first grant or not at all: errc::already_granted, after all else
    /// was taken.
    virtual void give(std::vector<gate_product> products,
                      callback<std::expected<void, errc>> done) = 0;

    /// The same after returns: a product and its buyers in one atomic step. Idempotent; may mix
    /// shards, and an error may come after a part of it.
    virtual void take_returns(returned_units what, callback<std::expected<void, errc>> done) = 0;
};

}  // namespace flashsale::stock
