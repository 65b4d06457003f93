#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>

namespace flashsale::bench {

/// A fixed rate of arrivals: number 0 is due at the start. No I/O.
class arrivals {
public:
    using time_point = std::chrono::steady_clock::time_point;

    arrivals(time_point start, double per_second) : start_{start}, interval_ns_{1e9 / per_second} {}

    time_point due(std::uint64_t number) const {
        return start_ +
               std::chrono::nanoseconds{std::llround(static_cast<double>(number) * interval_ns_)};
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
