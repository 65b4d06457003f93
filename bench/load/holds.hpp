#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>

#include "load/closed_loop.hpp"
#include "load/rush.hpp"
#include "record/life_source.hpp"
#include "record/record_source.hpp"

namespace flashsale::bench {

struct holds_options {
    load_options load;
    std::int64_t stock = 1'000;
    std::size_t users = 10'000;
    std::int64_t per_user_limit = 1;  ///< 0: none
    std::chrono::seconds payment_window{3};
    std::chrono::milliseconds selling_max{60'000};  ///< from the first order to the last payment
    std::chrono::milliseconds storing_max{30'000};  ///< and from there to the last row
    bool json_only = false;
};

/// A sale of held orders: they are paid for, cancelled or left to expire, and what comes back is
/// sold again, until every unit is paid for. Then the wait for the databases, and the sums. Writes
/// the report, its last line a JSON object, to `out`, and what prevented it to `complaints`.
exit_code run_holds(const holds_options& options, record_source& databases, life_source& lives,
                    std::ostream& out, std::ostream& complaints);

}  // namespace flashsale::bench
