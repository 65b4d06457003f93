#pragma once

// What a failed statement means to a request for units or products.

#include <flashsale/postgres.hpp>
#include <flashsale/stock/refusal.hpp>

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

/// Serialization failure, deadlock, lock not available: another transaction was at the same row.
inline bool is_contention(const postgres::error& error) {
    return error.sqlstate == "40001" || error.sqlstate == "40P01" || error.sqlstate == "55P03";
}

}  // namespace flashsale::stock
