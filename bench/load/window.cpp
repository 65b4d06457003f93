#include "load/window.hpp"

#include <utility>

namespace flashsale::bench {

timed_window::timed_window(order_stream& orders, const processes& who,
                           const window_options& options)
    : orders_{orders}, who_{who}, options_{options} {}

void timed_window::tick(clock::time_point now) {
    if (phase_ == phase::fresh) {
        result_.started = now;
        phase_ = phase::warming;
    }
    if (phase_ == phase::warming && now - result_.started >= options_.warm_up) {
        phase_ = phase::measuring;
        orders_.restart();
        cpu_begin_ = who_.sample();
        begin_ = clock::now();
    }
    const bool limited = options_.length.count() > 0;
    if (phase_ == phase::measuring && limited && now - begin_ >= options_.length) finish();
}

std::optional<std::size_t> timed_window::next() {
    tick(clock::now());
    if (phase_ == phase::over) return std::nullopt;
    return orders_.next();
}

void timed_window::done(std::size_t number, const outcome& what) {
    const auto accepted = orders_.totals().accepted;
    const auto refused = orders_.totals().refused;
    orders_.done(number, what);
    const auto now = clock::now();
    result_.last_answer = now;
    auto& slices = result_.over_time;
    const auto elapsed = std::chrono::duration<double>(now - result_.started).count();
    const auto at = static_cast<std::size_t>(elapsed / slices.slice_seconds);
    if (at >= slices.accepted.size()) {
        slices.accepted.resize(at + 1);
        slices.refused.resize(at + 1);
    }
    slices.accepted[at] += orders_.totals().accepted - accepted;
    slices.refused[at] += orders_.totals().refused - refused;
}

window_result timed_window::finish() {
    if (phase_ == phase::measuring) {
        phase_ = phase::over;
        result_.seconds = std::chrono::duration<double>(clock::now() - begin_).count();
        result_.cpu = cpu_between(who_, cpu_begin_, who_.sample());
        result_.counts = orders_.totals();
    }
    return result_;
}

window_result run_window(const load_options& load, order_stream& orders, const processes& who,
                         const window_options& options, progress_line* progress) {
    timed_window window{orders, who, options};
    const auto ran = run_closed_loop(load, window, progress);
    auto result = window.finish();
    if (!ran.failure.empty()) result.failure = ran.failure;
    if (result.failure.empty() && result.seconds == 0) {
        result.failure = "the orders ran out before the window began";
    }
    return result;
}

}  // namespace flashsale::bench
