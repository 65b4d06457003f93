#pragma once

// Units of a product that were taken: what a gate has granted, wherever that is noted by now.
// The gates are rebuilt from allocations, the databases are read as them, and the audit adds them
// up.

#include <compare>
#include <cstdint>
#include <string>

#include "flashsale/base/currency.hpp"
#include "flashsale/base/uuid.hpp"
#include "flashsale/stock/reservation.hpp"

namespace flashsale::stock {

/// What an allocation is known by: units of a line are taken once, and come back at most once. An
/// order that never came to be is a sale whose units have all returned, or, if the version before
/// wrote it off, a reduction under its id.
struct allocation_id {
    uuid order_id;
    std::uint32_t line = 0;

    friend auto operator<=>(const allocation_id&, const allocation_id&) = default;
};

struct allocation_id_hash {
    std::size_t operator()(const allocation_id& of) const noexcept {
        return uuid_hash{}(of.order_id) ^ of.line * 0x9e37'79b9'7f4a'7c15uz;
    }
};

/// Whether the units of an allocation came back, all at once.
enum class came_back : std::uint8_t {
    no,
    dropped,      ///< a person has dropped the event, which never was an order
    returned,     ///< the order has ended
    written_off,  ///< the order has ended, and they are not offered again
};

/// Where one is read from a record that does not know all of it, the rest is 0 or empty: the ledger
/// knows neither buyer nor price, nor the key of a sale.
struct allocation {
    uuid order_id = {};      ///< the order's, or the reduction's; it names its shard and its time
    std::uint32_t line = 0;  ///< of the order, which has one
    operation what = operation::sale;
    currency_code currency = {};  ///< of unit_price
    std::int64_t product_id = 0;
    std::int64_t user_id = 0;  ///< 0 for a reduction
    std::int64_t quantity = 0;
    std::int64_t unit_price = 0;         ///< minor units
    std::uint32_t payment_window_s = 0;  ///< it was held so long for payment; 0: sold outright
    came_back back = came_back::no;
    bool ended = false;                ///< of an order, by its status: cancelled or expired
    std::string idempotency_key = {};  ///< empty: no request can repeat it
    std::uint64_t epoch = 0;
    std::uint64_t seq = 0;

    allocation_id id() const { return {order_id, line}; }
};

}  // namespace flashsale::stock
