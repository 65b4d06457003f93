#pragma once

// The errors that are about orders.

#include <flashsale/http/problem_type.hpp>

namespace flashsale::order::problems {

inline constexpr http::problem_type order_not_found{404, "order_not_found", "No such order",
                                                    "No order has this id."};

/// For the router.
inline constexpr const http::problem_type* all[]{&order_not_found};

}  // namespace flashsale::order::problems
