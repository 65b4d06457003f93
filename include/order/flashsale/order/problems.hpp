#pragma once

// The errors that are about orders.

#include <flashsale/http/problem_type.hpp>

namespace flashsale::order::problems {

inline constexpr http::problem_type order_not_found{404, "order_not_found", "No such order",
                                                    "No order has this id."};
inline constexpr http::problem_type insufficient_balance{
    402, "insufficient_balance", "The balance is too low",
    "The user's balance is less than the order costs. Nothing was taken."};
inline constexpr http::problem_type order_not_payable{
    409, "order_not_payable", "The order cannot be paid for",
    "Only an order that is held for payment can be. Nothing was taken."};
inline constexpr http::problem_type order_not_cancellable{409, "order_not_cancellable",
                                                          "The order cannot be cancelled",
                                                          "It has expired, or it is paid."};
inline constexpr http::problem_type order_not_recorded{
    503, "order_not_recorded", "The order is not recorded yet",
    "It was accepted, and can be changed when it is recorded. Try again."};

/// For the router.
inline constexpr const http::problem_type* all[]{&order_not_found, &insufficient_balance,
                                                 &order_not_payable, &order_not_cancellable,
                                                 &order_not_recorded};

}  // namespace flashsale::order::problems
