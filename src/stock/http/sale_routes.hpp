#pragma once

#include <flashsale/http.hpp>
#include <flashsale/stock/module.hpp>

namespace flashsale::stock {

/// /v1/sales…
void register_sale_routes(http::router& routes, const http_dependencies& uses);

}  // namespace flashsale::stock
