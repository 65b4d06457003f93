#pragma once

#include <flashsale/http.hpp>
#include <flashsale/order/module.hpp>

#include <memory>

#include "service.hpp"

namespace flashsale::order {

/// Of the shop's own payments.
inline constexpr std::size_t reference_bytes_max = 200;

/// /v1/orders/{id}/payments, /cancel, /refunds and /changes.
void register_life_routes(http::router& routes, const http_dependencies& uses,
                          std::shared_ptr<service> orders);
/// /v1/refunds/{id}/confirm and /v1/payments.
void register_money_routes(http::router& routes, const http_dependencies& uses);

}  // namespace flashsale::order
