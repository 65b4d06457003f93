#pragma once

// The errors that are about products and their units.

#include <flashsale/http/problem_type.hpp>

namespace flashsale::stock::problems {

inline constexpr http::problem_type out_of_stock{400, "out_of_stock", "Out of stock",
                                                 "Fewer units are left than were asked for."};
inline constexpr http::problem_type product_not_found{404, "product_not_found", "No such product",
                                                      "No product has this id."};
inline constexpr http::problem_type high_traffic{
    409, "high_traffic", "High traffic",
    "Too many others changed this product at the same time. Try again."};
inline constexpr http::problem_type purchase_limit{
    409, "purchase_limit", "Purchase limit reached",
    "The order would exceed what one user may buy of this product."};
inline constexpr http::problem_type sale_not_open{
    409, "sale_not_open", "The sale is not open",
    "The sale of this product has not begun or is over."};
inline constexpr http::problem_type price_changed{
    409, "price_changed", "The price has changed",
    "The unit price is higher than expected_unit_price. Nothing was taken."};
inline constexpr http::problem_type total_too_high{
    422, "total_too_high", "The total is too high",
    "The order would cost more than 9,007,199,254,740,991 minor units. Nothing was taken."};
inline constexpr http::problem_type sale_not_found{404, "sale_not_found", "No such sale",
                                                   "No sale has this id."};
inline constexpr http::problem_type sale_has_products{
    409, "sale_has_products", "The sale has products",
    "Its payment window, and whether it has a limit, stand since its first product."};
inline constexpr http::problem_type sale_paused{409, "sale_paused", "The sale is paused",
                                                "Nothing of this sale is sold until it goes on."};
inline constexpr http::problem_type sale_ended{409, "sale_ended", "The sale has ended",
                                               "Nothing of this sale is sold any more."};
inline constexpr http::problem_type product_archived{
    409, "product_archived", "The product is archived", "This product is not sold any more."};
inline constexpr http::problem_type already_granted{
    409, "already_granted", "Units were sold already",
    "This can be changed only as long as nothing of the product was sold."};
inline constexpr http::problem_type rebuilding{
    503, "rebuilding", "The sale is not open for now",
    "What is left cannot be trusted until it is rebuilt from the record. Try again.", 2};

/// For the router.
inline constexpr const http::problem_type* all[]{
    &sale_not_found,  &sale_has_products, &out_of_stock,   &product_not_found, &high_traffic,
    &purchase_limit,  &sale_not_open,     &sale_paused,    &sale_ended,        &product_archived,
    &already_granted, &price_changed,     &total_too_high, &rebuilding};

}  // namespace flashsale::stock::problems
