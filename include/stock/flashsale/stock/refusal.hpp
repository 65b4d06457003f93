#pragma once

// Why units were not had.

#include <cstdint>
#include <string_view>

#include "flashsale/base/time.hpp"

namespace flashsale::stock {

/// Why units were not had. Above the line nothing was taken, and asking again gives the same answer
/// until something changes; below it, ask again later with the same key.
enum class errc {
    product_not_found,
    sale_not_open,  ///< not yet
    sale_over,
    price_changed,  ///< the unit price is higher than was expected
    purchase_limit,
    out_of_stock,
    total_too_high,          ///< quantity times unit price would pass units_max
    idempotency_key_reused,  ///< the key was used for another quantity
    too_many_units,          ///< the product's given would pass units_max
    high_traffic,            ///< the database gate's tries are used up: nothing was taken
    // ---
    overloaded,              ///< a named limit is reached: nothing was taken
    rebuilding,              ///< the gate cannot be trusted: nothing was taken
    dependency_unavailable,  ///< nothing was taken
    outcome_unknown,         ///< units may have been taken: the same key settles it
};

std::string_view name_of(errc code);

/// Why, and what a client can do with it.
struct refusal {
    constexpr refusal(errc why) : code(why) {}
    constexpr refusal(errc why, std::int64_t units) : code(why), left(units) {}

    errc code;
    std::uint32_t opens_in_s = 0;  ///< sale_not_open: by the gate's clock, rounded up
    /// out_of_stock: units of the product; purchase_limit: units the user may still have;
    /// price_changed: the unit price.
    std::int64_t left = 0;
    timestamp opens_at{};  ///< sale_not_open

    constexpr operator errc() const { return code; }
    friend constexpr bool operator==(const refusal& one, errc other) { return one.code == other; }
};

}  // namespace flashsale::stock
