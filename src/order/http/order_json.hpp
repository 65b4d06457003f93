#pragma once

// How orders are shown, and why there is none.

#include <flashsale/http.hpp>
#include <flashsale/order/life.hpp>

#include <span>
#include <string>

#include "service.hpp"

namespace flashsale::order {

/// As it stands in a list, and in the answer to its placing.
void append_order(std::string& out, const order& what, currency_code of_deployment);
/// With its lines, its total and its payments.
void append_order_in_full(std::string& out, const order& what, std::span<const payment> payments,
                          currency_code of_deployment);
void append_payment(std::string& out, const payment& what, currency_code of_deployment);
void append_refund(std::string& out, const refund& what, currency_code of_deployment);

http::response problem_of(const failure& why);

}  // namespace flashsale::order
