// What the code under test would get from the machine, it gets from the run: time, and the seeds of
// its generators. The definitions here come before those of the libraries at link time.

#include <cerrno>
#include <chrono>
#include <ctime>
#include <random>

#include "world.hpp"

namespace {

std::chrono::nanoseconds machine_clock(clockid_t which) {
    timespec now{};
    clock_gettime(which, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

flashsale::model::world* run() {
    return flashsale::model::world::current();
}

}  // namespace

std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept {
    if (!run()) return time_point{machine_clock(CLOCK_MONOTONIC)};
    return time_point{std::chrono::hours{1} + std::chrono::microseconds{run()->now()}};
}

std::chrono::system_clock::time_point std::chrono::system_clock::now() noexcept {
    if (!run()) return time_point{machine_clock(CLOCK_REALTIME)};
    return time_point{std::chrono::seconds{1'800'000'000} +
                      std::chrono::microseconds{run()->now()}};
}

void std::random_device::_M_init(const std::string&) {}
void std::random_device::_M_fini() {}
std::random_device::result_type std::random_device::_M_getval() {
    return run() ? static_cast<result_type>(run()->random.next()) : 0;
}

/// Without a timer of the machine's, Asio looks at its own clock each time it is polled: the run's.
extern "C" int timerfd_create(int, int) {
    errno = ENOSYS;
    return -1;
}
