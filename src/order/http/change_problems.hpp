#pragma once

// Why an order was not changed, as an answer.

#include <flashsale/http.hpp>

#include "service.hpp"

namespace flashsale::order {

/// Says in which state the order stands, and since when; and of money that is kept, the payment.
http::response problem_of(const change_refusal& why, currency_code of_deployment);

}  // namespace flashsale::order
