#pragma once

#include <flashsale/events/event.hpp>
#include <flashsale/order.hpp>

namespace flashsale::order {

/// The order that an event made, as it was accepted.
inline order order_of(const events::order_accepted& one) {
    return accepted_order({.id = one.id,
                           .user_id = one.user_id,
                           .product_id = one.product_id,
                           .quantity = one.quantity,
                           .unit_price = one.unit_price,
                           .created_at = one.created_at,
                           .currency = one.currency,
                           .payment_window_s = one.payment_window_s});
}

}  // namespace flashsale::order
