#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bars.hpp"
#include "limits.hpp"
#include "sale_site.hpp"

namespace flashsale::bench {

/// How long and how large: the whole report, or its rehearsal.
struct report_sizes {
    int rounds = 5;
    std::chrono::milliseconds warm_up{400};
    std::chrono::milliseconds window{2'500};
    std::size_t users = 250'000;
    std::size_t replays = 5'000;
    std::size_t stored_orders = 200'000;
    std::size_t many_products = 1'000;
    std::size_t crowd = 2'000;  ///< connections, where they are many
    std::size_t idle_connections = 10'000;
    std::int64_t plotted_stock = 100'000;
    std::chrono::milliseconds plotted{10'000};
    limit_sizes limits{};

    static report_sizes smoke();
    window_options one_window() const { return {warm_up, window}; }
};

/// What every section needs. Sections throw: sums_fail if the books do not balance, else
/// std::runtime_error; each audits its own deployment at its end.
struct bench_run {
    workplace where;
    report_sizes sizes;
    progress_line& progress;
};

/// Stock that no window sells out.
inline constexpr std::int64_t plenty = 1'000'000'000;

bar measure_refusals(const bench_run& run);
bar measure_accepted(const bench_run& run, std::size_t connections, double threshold);
bar measure_stored(const bench_run& run);
bar measure_many_products(const bench_run& run);
bar measure_crowd(const bench_run& run);

}  // namespace flashsale::bench
