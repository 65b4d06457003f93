#pragma once

// What a sale has sold, taken and given back, out of its orders by groups.

#include <flashsale/order/sale_record.hpp>
#include <flashsale/stock/sale_desk.hpp>

#include <span>
#include <string>

namespace flashsale::order {

/// As JSON. Money by its currency, turnover, refunds and revenue in columns of their own; sums are
/// exact, however large.
std::string report_of(const stock::sale_summary& sale, std::span<const order_group> groups,
                      currency_code of_deployment);

/// A decimal number, exact.
void append_exact(std::string& out, __int128 value);

}  // namespace flashsale::order
