#pragma once

#include <memory>
#include <string>
#include <vector>

#include "limits/limits.hpp"
#include "report/bars.hpp"
#include "site/sale_site.hpp"

namespace flashsale::bench {

struct compare_sizes {
    std::int64_t stock = 2'000;
    std::size_t requests = 10'000;
    std::size_t connections = 64;
};

/// How long and how large: the whole report, or its rehearsal.
struct report_sizes {
    int rounds = 5;
    std::chrono::milliseconds warm_up{400};
    std::chrono::milliseconds window{2'500};
    std::chrono::milliseconds settling_max{10'000};  ///< before each window
    bool one_site = false;  ///< for all sections: tables grow, but it is quick
    std::size_t users = 250'000;
    std::size_t replays = 5'000;
    std::size_t stored_orders = 200'000;
    std::size_t payments = 20'000;
    std::size_t holds = 100'000;
    std::chrono::seconds hold_window{60};           ///< of the first; the last gets half of it
    std::chrono::milliseconds expiry_load{10'000};  ///< orders while holds end
    std::size_t many_products = 1'000;
    std::size_t crowd = 2'000;  ///< connections, where they are many
    std::size_t idle_connections = 10'000;
    std::int64_t plotted_stock = 100'000;
    std::chrono::milliseconds plotted{10'000};
    limit_sizes limits{};
    compare_sizes compared{};

    static report_sizes smoke();
    window_options one_window() const { return {warm_up, window}; }
};

/// What every section needs. Sections throw: sums_fail if the books do not balance, else
/// std::runtime_error.
class bench_run {
public:
    bench_run(workplace where, report_sizes sizes, progress_line& progress);

    /// A shop on a fresh deployment, or, where time is short, the one that is there.
    sale_site& open_site();
    /// Audits and ends it, or leaves it for the next.
    void close_site();
    /// Ends what is left.
    void finish();

    const workplace where;
    const report_sizes sizes;
    progress_line& progress;

private:
    std::unique_ptr<sale_site> site_;
};

/// Stock that no window sells out.
inline constexpr std::int64_t plenty = 1'000'000'000;

bar measure_refusals(bench_run& run);
bar measure_accepted(bench_run& run, std::size_t connections, double threshold);
bar measure_stored(bench_run& run, double threshold);
bar measure_many_products(bench_run& run);
bar measure_crowd(bench_run& run);
bar measure_payments(bench_run& run);
/// Holds that end together: when nothing else happens, and while orders are accepted.
std::vector<bar> measure_expiry(bench_run& run);
bar measure_gates(bench_run& run);
bar measure_idle_memory(bench_run& run);

/// Percentiles of an open loop at a fixed rate, and of what it is compared with.
struct latency_section {
    bar p99;
    double per_second = 0;
    histogram accepted_ns;
    histogram bare_ns;
    histogram publish_ns;
};
latency_section measure_latency(bench_run& run, double per_second);

/// A sale watched from outside, slice by slice.
struct sale_over_time {
    throughput clients;
    std::vector<std::uint64_t> stored;  ///< in slices of the same length
    histogram accepted_ns;
    histogram refused_ns;
};
sale_over_time watch_sale(bench_run& run);

/// The same sale through a gate.
struct gate_row {
    std::string gate;
    double accepted_per_second = 0;  ///< up to the last unit that was sold
    double refused_per_second = 0;
    std::uint64_t sold = 0;
    std::int64_t unsold = 0;
    std::int64_t conflicts = 0;
    std::uint64_t high_traffic = 0;
    double seconds = 0;
};
gate_row sell_through(bench_run& run, const std::string& gate, const compare_sizes& sizes);
std::string gates_table(const std::vector<gate_row>& rows, const compare_sizes& sizes);
boost::json::array gates_json(const std::vector<gate_row>& rows);

}  // namespace flashsale::bench
