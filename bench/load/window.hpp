#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "load/closed_loop.hpp"
#include "site/cpu.hpp"
#include "load/order_stream.hpp"

namespace flashsale::bench {

/// Counts in slices of time, for the plot of throughput.
struct throughput {
    double slice_seconds = 0.1;
    std::vector<std::uint64_t> accepted;
    std::vector<std::uint64_t> refused;
};

struct window_options {
    std::chrono::milliseconds warm_up{400};
    std::chrono::milliseconds length{2'500};  ///< 0: until the stream has no more
};

/// What happened between the end of the warm-up and the end of the window.
struct window_result {
    double seconds = 0;
    order_stream::tally counts;
    std::vector<cpu_share> cpu;
    throughput over_time;         ///< from the first request on, warm-up included
    clock::time_point started{};  ///< the first request
    clock::time_point last_answer{};
    std::string failure;

    double accepted_per_second() const { return rate(counts.accepted); }
    double refused_per_second() const { return rate(counts.refused); }
    double answered_per_second() const { return rate(counts.done()); }
    /// Busy share of one core, by name.
    double busy(std::string_view name) const {
        return seconds > 0 ? cpu_of(cpu, name) / seconds : 0;
    }

private:
    double rate(std::uint64_t n) const {
        return seconds > 0 ? static_cast<double>(n) / seconds : 0;
    }
};

/// Lets a stream run for a while, and measures its middle.
class timed_window final : public traffic {
public:
    timed_window(order_stream& orders, const processes& who, const window_options& options);

    std::optional<std::size_t> next() override;
    void render(std::size_t number, std::string_view host, std::string& out) const override {
        orders_.render(number, host, out);
    }
    void done(std::size_t number, const outcome& what) override;
    std::string progress() const override { return orders_.progress(); }

    window_result finish();

private:
    void tick(clock::time_point now);

    order_stream& orders_;
    const processes& who_;
    window_options options_;
    enum class phase { fresh, warming, measuring, over } phase_ = phase::fresh;
    clock::time_point begin_{};
    std::vector<std::chrono::nanoseconds> cpu_begin_;
    window_result result_;
};

/// A closed loop over one window.
window_result run_window(const load_options& load, order_stream& orders, const processes& who,
                         const window_options& options, progress_line* progress = nullptr);

}  // namespace flashsale::bench
