#pragma once

// What a failed statement means to a request for units or products.

#include <flashsale/postgres.hpp>
#include <flashsale/stock/gate.hpp>

namespace flashsale::stock {

inline errc errc_of(const postgres::error& error) {
    switch (error.what) {
        case postgres::error::kind::overloaded:
            return errc::overloaded;
        case postgres::error::kind::outcome_unknown:
            return errc::outcome_unknown;
        default:
            return errc::dependency_unavailable;
    }
}

}  // namespace flashsale::stock
