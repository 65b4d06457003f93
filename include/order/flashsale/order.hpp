#pragma once

// The order module: what was bought. What other modules may know.

#include <chrono>
#include <cstdint>
#include <optional>

#include "flashsale/base/currency.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"
#include "flashsale/order/status.hpp"

namespace flashsale::order {

/// An accepted order, as it stands. Nothing after acceptance can refuse it; it may end later.
struct order {
    uuid id;
    std::int64_t user_id = 0;
    std::int64_t product_id = 0;
    std::int64_t quantity = 0;
    std::int64_t unit_price = 0;  ///< minor units, as it was when the order was accepted
    timestamp created_at;
    currency_code currency = {};         ///< of unit_price
    std::uint32_t payment_window_s = 0;  ///< 0: sold outright
    order_status status = order_status::success;
    std::optional<timestamp> expires_at = {};  ///< of a hold; stays when it has ended
    timestamp status_since = {};

    bool was_held() const { return payment_window_s != 0; }
};

/// As it was accepted.
inline order accepted_order(order what) {
    what.status_since = what.created_at;
    if (what.was_held()) {
        what.status = order_status::pending;
        what.expires_at = what.created_at + std::chrono::seconds(what.payment_window_s);
    }
    return what;
}

}  // namespace flashsale::order
