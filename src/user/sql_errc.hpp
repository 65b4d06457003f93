#pragma once

#include <flashsale/sql.hpp>
#include <flashsale/user/store.hpp>

namespace flashsale::user {

inline store_errc errc_of(const sql::error& error) {
    switch (error.what) {
        case sql::error::kind::overloaded:
            return store_errc::overloaded;
        case sql::error::kind::outcome_unknown:
            return store_errc::outcome_unknown;
        default:
            return store_errc::dependency_unavailable;
    }
}

/// A read changes nothing: whatever became of it, there is only no answer.
inline store_errc errc_of_read(const sql::error& error) {
    const store_errc code = errc_of(error);
    return code == store_errc::outcome_unknown ? store_errc::dependency_unavailable : code;
}

}  // namespace flashsale::user
