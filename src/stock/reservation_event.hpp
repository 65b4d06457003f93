#pragma once

#include <flashsale/stock/reservation.hpp>
#include <string>

namespace flashsale::stock {

/// What a gate adds to a reservation that it grants, beside the time in the id.
struct grant_terms {
    std::int64_t unit_price = 0;
    currency_code currency = {};  ///< of unit_price
    std::uint32_t payment_window_s = 0;
    std::uint64_t epoch = 0;
    std::uint64_t seq = 0;
};

/// The event that a granted reservation is, complete. Written when it is needed, since in a
/// sale nearly no caller needs it.
std::string event_of(const reservation& asked, const uuid& id, const grant_terms& terms);

}  // namespace flashsale::stock
