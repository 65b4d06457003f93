#pragma once

// The units that an event took.

#include <optional>
#include <string>
#include <variant>

#include "flashsale/events/event.hpp"
#include "flashsale/stock/allocation.hpp"

namespace flashsale::order {

inline stock::allocation units_of(const events::basic_units_taken<std::string>& one,
                                  stock::operation what) {
    stock::allocation out;
    out.order_id = one.id;
    out.what = what;
    out.currency = one.currency;
    out.payment_window_s = one.payment_window_s;
    out.product_id = one.product_id;
    out.quantity = one.quantity;
    out.unit_price = one.unit_price;
    out.idempotency_key = one.idempotency_key;
    out.epoch = one.epoch;
    out.seq = one.seq;
    return out;
}

inline stock::allocation allocation_of(const events::order_accepted& one) {
    stock::allocation out = units_of(one, stock::operation::sale);
    out.user_id = one.user_id;
    return out;
}

inline stock::allocation allocation_of(const events::stock_reduced& one) {
    return units_of(one, stock::operation::reduction);
}

/// nullopt: it took none.
inline std::optional<stock::allocation> allocation_of(const events::event& one) {
    if (const auto* order = std::get_if<events::order_accepted>(&one)) return allocation_of(*order);
    if (const auto* cut = std::get_if<events::stock_reduced>(&one)) return allocation_of(*cut);
    return std::nullopt;
}

}  // namespace flashsale::order
