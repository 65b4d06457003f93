#pragma once

// What a refusal of this module is to an HTTP client: the one table, for every module that passes
// such a refusal on.

#include <algorithm>
#include <string>

#include <flashsale/http.hpp>

#include "flashsale/stock/problems.hpp"
#include "flashsale/stock/refusal.hpp"

namespace flashsale::stock {

inline const http::problem_type& problem_of(errc code) {
    namespace to = http::problems;
    switch (code) {
        case errc::product_not_found:
            return problems::product_not_found;
        case errc::sale_not_open:
        case errc::sale_over:
            return problems::sale_not_open;
        case errc::price_changed:
            return problems::price_changed;
        case errc::total_too_high:
            return problems::total_too_high;
        case errc::purchase_limit:
            return problems::purchase_limit;
        case errc::out_of_stock:
            return problems::out_of_stock;
        case errc::idempotency_key_reused:
            return to::idempotency_key_reused;
        case errc::too_many_units:
        case errc::sale_full:
        case errc::window_of_sale:
        case errc::window_not_ordered:
            return to::bad_request;
        case errc::sale_paused:
            return problems::sale_paused;
        case errc::sale_ended:
            return problems::sale_ended;
        case errc::product_archived:
            return problems::product_archived;
        case errc::already_granted:
            return problems::already_granted;
        case errc::sale_not_found:
            return problems::sale_not_found;
        case errc::sale_has_products:
            return problems::sale_has_products;
        case errc::revision_changed:
            return to::revision_changed;
        case errc::high_traffic:
            return problems::high_traffic;
        case errc::overloaded:
            return to::overloaded;
        case errc::rebuilding:
            return problems::rebuilding;
        case errc::dependency_unavailable:
            return to::dependency_unavailable;
        case errc::outcome_unknown:
            return to::outcome_unknown;
    }
    return to::internal;
}

/// At most this is told a client to wait before it asks again, though a sale may be days away.
inline constexpr std::uint32_t opens_in_s_max = 3'600;

/// With what the client can do: `available`, `allowed`, `unit_price`, or which side of the window
/// it is, and when to come back. In a sale nearly all that is refused is refused for what is at its
/// end: those answers are made once.
inline http::response problem_of(const refusal& why) {
    const auto with_number = [&why](std::string_view name) {
        return http::problem_with(problem_of(why.code),
                                  "," + std::string(name) + std::to_string(why.left));
    };
    const auto of_none = [](errc code, std::string_view members) {
        return http::problem_with(problem_of(code), members);
    };
    static const http::response none_left = of_none(errc::out_of_stock, R"(,"available":0)");
    static const http::response none_allowed = of_none(errc::purchase_limit, R"(,"allowed":0)");
    static const http::response over = of_none(errc::sale_over, R"(,"sale":"over")");
    static const http::response paused = of_none(errc::sale_paused, R"(,"sale":"paused")");
    static const http::response ended = of_none(errc::sale_ended, R"(,"sale":"ended")");
    switch (why.code) {
        case errc::out_of_stock:
            return why.left == 0 ? http::repeat_of(none_left) : with_number(R"("available":)");
        case errc::purchase_limit:
            return why.left == 0 ? http::repeat_of(none_allowed) : with_number(R"("allowed":)");
        case errc::price_changed:
            return with_number(R"("unit_price":)");
        case errc::sale_over:
            return http::repeat_of(over);
        case errc::sale_paused:
            return http::repeat_of(paused);
        case errc::sale_ended:
            return http::repeat_of(ended);
        case errc::sale_not_open: {
            http::response out =
                http::problem_with(problem_of(why.code), R"(,"sale":"not_yet","sale_starts_at":")" +
                                                             to_rfc3339(why.opens_at) + '"');
            out.retry_after_s = std::min(why.opens_in_s, opens_in_s_max);
            return out;
        }
        default:
            return http::problem(problem_of(why.code));
    }
}

}  // namespace flashsale::stock
