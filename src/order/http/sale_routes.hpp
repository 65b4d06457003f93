#pragma once

#include <flashsale/http.hpp>
#include <flashsale/order/module.hpp>

namespace flashsale::order {

/// What is said of a sale by its orders, and what is done to them all: /v1/sales/{id}/…
void register_sale_routes(http::router& routes, const http_dependencies& uses);

}  // namespace flashsale::order
