#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>

#include "load/closed_loop.hpp"
#include "record/record_source.hpp"

namespace flashsale::bench {

/// Exit codes of every subcommand.
enum exit_code : int {
    exit_holds = 0,
    exit_sums_fail = 1,
    exit_usage = 2,
    exit_unreachable = 3,
    exit_late = 4,  ///< the generator was late: no percentiles
};

struct rush_options {
    load_options load;
    std::int64_t stock = 1'000;  ///< in all, spread evenly over the products
    std::size_t users = 10'000;
    std::size_t requests = 20'000;
    std::int64_t per_user_limit = 1;  ///< 0: none
    std::size_t products = 1;
    std::uint64_t seed = 1;
    std::chrono::milliseconds storing_max{30'000};  ///< from the last answer to the last row
    bool allow_unsold = false;
    bool allow_unknown = false;
    bool json_only = false;
};

/// A whole sale: users, products, the orders, the wait for the databases, the sums. Writes the
/// report, its last line a JSON object, to `out`, and what prevented it to `complaints`.
exit_code run_rush(const rush_options& options, record_source& databases, std::ostream& out,
                   std::ostream& complaints);

}  // namespace flashsale::bench
