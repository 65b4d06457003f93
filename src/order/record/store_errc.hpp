#pragma once

#include <flashsale/order/store.hpp>
#include <flashsale/sql.hpp>

namespace flashsale::order {

inline store_errc errc_of(const sql::error& error) {
    return error.what == sql::error::kind::overloaded ? store_errc::overloaded
                                                      : store_errc::dependency_unavailable;
}

}  // namespace flashsale::order
