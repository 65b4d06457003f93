#pragma once

#include <flashsale/http.hpp>
#include <flashsale/order/module.hpp>

#include <memory>

#include "service.hpp"

namespace flashsale::order {

/// /v1/orders/{id}/payments, /v1/orders/{id}/cancel and /v1/orders/{id}/changes.
void register_life_routes(http::router& routes, const http_dependencies& uses,
                          std::shared_ptr<service> orders);
/// /v1/orders/{id}/refunds, /v1/refunds/{id}/confirm and /v1/payments.
void register_money_routes(http::router& routes, const http_dependencies& uses,
                           std::shared_ptr<service> orders);

}  // namespace flashsale::order
