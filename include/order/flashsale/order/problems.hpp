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
    "Only an order that is held for payment can be. From a balance nothing was taken; money from "
    "outside that was told of is kept, and a refund is due."};
inline constexpr http::problem_type order_not_cancellable{409, "order_not_cancellable",
                                                          "The order cannot be cancelled",
                                                          "It has expired, or it is paid."};
inline constexpr http::problem_type other_currency{
    409, "other_currency", "The order is in another currency",
    "A balance is in the deployment's currency, and pays for orders in that alone. Nothing was "
    "taken."};
inline constexpr http::problem_type order_not_refundable{
    409, "order_not_refundable", "The order cannot be refunded",
    "Only an order that is paid can be. One that was sold outright is cancelled instead."};
inline constexpr http::problem_type payment_too_late{
    409, "payment_too_late", "The payment is too late",
    "The hold has ended, and its units are for sale again. The money is kept, and a refund is "
    "due."};
inline constexpr http::problem_type amount_mismatch{409, "amount_mismatch",
                                                    "The amount is not what the order costs",
                                                    "The money is kept, and a refund is due."};
inline constexpr http::problem_type reference_taken{
    422, "reference_taken", "The reference is another payment's",
    "A payment for another order, or of another amount, has this reference. Nothing was kept."};
inline constexpr http::problem_type sale_not_cancelled{
    404, "sale_not_cancelled", "The sale was not cancelled", "It goes on, or has ended by itself."};
inline constexpr http::problem_type refund_not_found{404, "refund_not_found", "No such refund",
                                                     "No refund has this id."};
inline constexpr http::problem_type refund_not_confirmable{
    409, "refund_not_confirmable", "The refund cannot be confirmed",
    "It goes to the user's balance by itself, or was confirmed with another reference."};
inline constexpr http::problem_type order_not_recorded{
    503, "order_not_recorded", "The order is not recorded yet",
    "It was accepted, and can be changed when it is recorded. Try again."};

/// For the router.
inline constexpr const http::problem_type* all[]{
    &order_not_found,      &insufficient_balance, &order_not_payable,      &order_not_cancellable,
    &order_not_refundable, &payment_too_late,     &amount_mismatch,        &reference_taken,
    &sale_not_cancelled,   &refund_not_found,     &refund_not_confirmable, &order_not_recorded,
    &other_currency};

}  // namespace flashsale::order::problems
