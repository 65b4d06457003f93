#pragma once

#include <chrono>

namespace flashsale {

/// The time since the machine was switched on, its sleep included: for what others on other
/// machines count on to be over. The steady clock stands still while a machine is suspended.
struct boot_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<boot_clock>;
    static constexpr bool is_steady = true;

    static time_point now() noexcept;
};

}  // namespace flashsale
