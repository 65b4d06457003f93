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
    sale_paused,             ///< by hand, until it is resumed
    sale_ended,              ///< by hand
    product_archived,        ///< it is not sold any more
    already_granted,         ///< what must come before the first grant came after it
    window_of_sale,          ///< it is the sale's to change
    window_not_ordered,      ///< it would end before it begins
    sale_not_found,
    sale_full,          ///< it has as many products as a sale may have
    sale_has_products,  ///< what they are sold by cannot change any more
    revision_changed,   ///< a change was made of what is not there any more
    high_traffic,       ///< the database gate's tries are used up: nothing was taken
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
