#pragma once

// The units that an event took.

#include "flashsale/events/event.hpp"
#include "flashsale/stock/allocation.hpp"

namespace flashsale::order {

/// Of an order or a reduction.
inline stock::allocation allocation_of(const events::event& one) {
    stock::allocation out;
    out.order_id = one.id;
    out.what = one.what == events::event::kind::order_accepted ? stock::operation::sale
                                                               : stock::operation::reduction;
    out.currency = one.currency;
    out.product_id = one.product_id;
    out.user_id = one.user_id;
    out.quantity = one.quantity;
    out.unit_price = one.unit_price;
    out.idempotency_key = one.idempotency_key;
    out.generation = one.generation;
    out.seq = one.seq;
    return out;
}

}  // namespace flashsale::order
