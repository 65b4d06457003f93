#pragma once

#include <iosfwd>

#include "load/open_loop.hpp"
#include "record/record_source.hpp"
#include "load/rush.hpp"

namespace flashsale::bench {

struct rate_options {
    open_loop_options loop;
    unsigned refused_percent = 50;  ///< of the requests ask for a product that is sold out
    std::size_t users = 1'000;
    std::chrono::milliseconds lag_p99_max = lag_p99_max_default;
    std::chrono::milliseconds storing_max{30'000};
    bool json_only = false;
};

/// Users and two products, one plentiful and one sold out, then orders at a fixed rate, and the
/// sums. Writes a table of percentiles and one JSON line to `out`: no percentiles if the generator
/// was late, nothing at all but the sums if they do not hold.
exit_code run_rate(const rate_options& options, record_source& databases, std::ostream& out,
                   std::ostream& complaints);

}  // namespace flashsale::bench
