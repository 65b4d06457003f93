#include <ctime>

#include <flashsale/base/boot_clock.hpp>
#include <flashsale/base/fault_points.hpp>

namespace flashsale {

boot_clock::time_point boot_clock::now() noexcept {
    timespec now{};
    ::clock_gettime(faults::without(faults::guard::boot_clock) ? CLOCK_MONOTONIC : CLOCK_BOOTTIME,
                    &now);
    return time_point{std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

}  // namespace flashsale
