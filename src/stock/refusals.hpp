#pragma once

#include <algorithm>
#include <limits>

#include <flashsale/stock/gate_decisions.hpp>
#include <flashsale/stock/reservation.hpp>

namespace flashsale::stock {

/// A sale that begins at `opens`, of which so much is left now.
inline refusal not_yet(timestamp opens, std::chrono::microseconds left) {
    constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
    refusal out(errc::sale_not_open);
    out.opens_at = opens;
    out.opens_in_s = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(left).count(), 1, most));
    return out;
}
inline refusal not_yet(timestamp opens, timestamp now) {
    return not_yet(opens, opens - now);
}

/// Amounts end at units_max, as units do. Of a reduction nothing is paid.
inline bool is_total_too_high(const reservation& asked, std::int64_t unit_price) {
    return asked.what == operation::sale && unit_price > units_max / asked.quantity;
}

/// Of one that is not `none`.
inline errc refusal_of(halt why) {
    switch (why) {
        case halt::paused:
            return errc::sale_paused;
        case halt::ended:
            return errc::sale_ended;
        case halt::archived:
            return errc::product_archived;
        case halt::none:
        case halt::deleted:
            break;
    }
    return errc::product_not_found;
}

}  // namespace flashsale::stock
