#pragma once

// What a refusal of this module is to an HTTP client: the one table, for every module that passes
// such a refusal on.

#include <flashsale/http.hpp>

#include "flashsale/stock/gate.hpp"

namespace flashsale::stock {

inline http::problem_code problem_of(errc code) {
    using to = http::problem_code;
    switch (code) {
        case errc::product_not_found:
            return to::product_not_found;
        case errc::sale_not_open:
            return to::sale_not_open;
        case errc::purchase_limit:
            return to::purchase_limit;
        case errc::out_of_stock:
            return to::out_of_stock;
        case errc::idempotency_key_reused:
            return to::idempotency_key_reused;
        case errc::too_many_units: return to::bad_request;
        case errc::high_traffic:
            return to::high_traffic;
        case errc::overloaded:
            return to::overloaded;
        case errc::reopening:
            return to::reopening;
        case errc::dependency_unavailable:
            return to::dependency_unavailable;
        case errc::outcome_unknown:
            return to::outcome_unknown;
    }
    return to::internal;
}

}  // namespace flashsale::stock
