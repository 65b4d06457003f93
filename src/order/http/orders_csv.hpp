#pragma once

#include <flashsale/http.hpp>

#include "lists.hpp"

namespace flashsale::order {

/// The answer 200 with all orders of a walk as CSV, a header line first.
http::response csv_of(asio::io_context& io, begun_walk all, currency_code of_deployment);

}  // namespace flashsale::order
