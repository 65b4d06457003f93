#pragma once

// The order module: what was bought. What other modules may know.

#include <cstdint>

#include "flashsale/base/currency.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"

namespace flashsale::order {

/// An accepted order. Nothing after acceptance can refuse it, so its status is always SUCCESS.
struct order {
    uuid id;
    std::int64_t user_id = 0;
    std::int64_t product_id = 0;
    std::int64_t quantity = 0;
    std::int64_t unit_price = 0;  ///< minor units, as it was when the order was accepted
    timestamp created_at;
    currency_code currency = {};  ///< of unit_price
};

}  // namespace flashsale::order
