#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace flashsale::bench {

/// A fixed rate of arrivals: number 0 is due at the start. No I/O.
///
/// A generator that shares its cores with what it measures must not wake for each arrival: at
/// 26,000 a second that alone took seven tenths of a core. So what comes due within `bunch` is
/// sent together, late by at most that, and the lateness is part of what is measured.
class arrivals {
public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::microseconds bunch{500};

    arrivals(time_point start, double per_second) : start_{start}, interval_ns_{1e9 / per_second} {}

    time_point due(std::uint64_t number) const {
        return start_ +
               std::chrono::nanoseconds{std::llround(static_cast<double>(number) * interval_ns_)};
    }

    /// When to look again, if the next is `number`.
    time_point look_again(std::uint64_t number, time_point now) const {
        return std::max(due(number), now + bunch);
    }

    /// How many are due by `now`.
    std::uint64_t due_by(time_point now) const {
        if (now < start_) return 0;
        const auto elapsed = static_cast<double>((now - start_).count());
        auto number = static_cast<std::uint64_t>(elapsed / interval_ns_) + 1;
        // Rounding may be off by one, and due() is the law.
        while (number > 0 && due(number - 1) > now)
            --number;
        while (due(number) <= now)
            ++number;
        return number;
    }

private:
    time_point start_;
    double interval_ns_;
};

}  // namespace flashsale::bench
