#pragma once

// The wish for units, and what a gate decides about it.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <string>
#include <string_view>

#include "flashsale/base/currency.hpp"
#include "flashsale/base/uuid.hpp"
#include "flashsale/stock/refusal.hpp"

namespace flashsale::stock {

/// Units of a product, quantity and stock stay below 2^53, where a script's doubles are exact.
inline constexpr std::int64_t units_max = (std::int64_t{1} << 53) - 1;

/// Longest idempotency key, in bytes.
inline constexpr std::size_t idempotency_key_bytes_max = 255;

/// A price that no product's is above.
inline constexpr std::int64_t any_price = std::numeric_limits<std::int64_t>::max();

enum class operation : std::uint8_t {
    sale,  ///< for an order: window, limit and stock decide; the key's scope is (user, product)
    reduction,  ///< by hand: stock alone decides; the key's scope is the product
};

struct reservation {
    operation what = operation::sale;
    std::int64_t product_id = 0;
    std::int64_t user_id = 0;          ///< 0 for a reduction
    std::int64_t quantity = 0;         ///< 1 to units_max
    std::string_view idempotency_key;  ///< the asker's, until the decision is handed over
    uuid id;  ///< of the order or movement that a grant becomes; names its shard
    /// The id's time becomes that of the gate's decision, by the gate's clock; else it is an id
    /// that was decided before, and stays as it is.
    bool dated_by_gate = false;
    /// Of a sale: nothing is taken if the unit price is higher at the decision. Minor units.
    std::int64_t unit_price_max = any_price;
};

struct grant {
    uuid id;  ///< the first one's, for a repeat
    std::int64_t unit_price = 0;
    bool repeat = false;    ///< the key was granted before
    bool recorded = false;  ///< a repeat whose event is in the databases already
    std::string event;      ///< complete; to be published, unless recorded
    uuid token;             ///< of the gate: under this one alone, by the process that waits for it
    currency_code currency = {};         ///< of unit_price
    std::uint32_t payment_window_s = 0;  ///< held so long from the id's time; 0: sold outright
};

using decision = std::expected<grant, refusal>;

}  // namespace flashsale::stock
