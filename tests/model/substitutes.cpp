// What the code under test would get from the machine, it gets from the run: time, and the seeds of
// its generators. The definitions here come before those of the libraries at link time.

#include <pthread.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <map>
#include <random>
#include <thread>

#include <flashsale/base/boot_clock.hpp>

#include "fiber.hpp"
#include "process.hpp"
#include "world.hpp"

namespace {

/// The steady clock as a run begins: not zero, which code takes for "never".
constexpr std::chrono::hours beginning{1};

std::chrono::nanoseconds machine_clock(clockid_t which) {
    timespec now{};
    clock_gettime(which, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

flashsale::model::world* run() {
    return flashsale::model::world::current();
}

/// A fiber that waits for a condition.
struct waiting_for {
    explicit waiting_for(pthread_cond_t* what) : condition(what) { all[what] = this; }
    ~waiting_for() { all.erase(condition); }
    waiting_for(const waiting_for&) = delete;
    waiting_for& operator=(const waiting_for&) = delete;

    static inline std::map<pthread_cond_t*, waiting_for*> all;
    pthread_cond_t* const condition;
    bool signalled = false;
};

}  // namespace

std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept {
    if (!run()) return time_point{machine_clock(CLOCK_MONOTONIC)};
    return time_point{beginning + std::chrono::microseconds{run()->now()}};
}

flashsale::boot_clock::time_point flashsale::boot_clock::now() noexcept {
    if (!run()) return time_point{machine_clock(CLOCK_BOOTTIME)};
    return time_point{beginning + std::chrono::microseconds{run()->now()}};
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

// Threads of the code under test are fibers of their process, and what blocks them are events.

void std::thread::_M_start_thread(_State_ptr state, void (*)()) {
    const std::shared_ptr<_State> body(std::move(state));
    _M_id._M_thread = flashsale::model::process::being_started().adopt([body] { body->_M_run(); });
}

void std::thread::join() {
    _M_id = id();
}

extern "C" int pthread_setname_np(pthread_t, const char*) {
    return 0;
}

extern "C" int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t,
                                      const timespec* until) {
    if (!flashsale::model::fiber::current()) return ETIMEDOUT;
    const waiting_for until_then(condition);
    const auto when =
        std::chrono::seconds{until->tv_sec} + std::chrono::nanoseconds{until->tv_nsec} - beginning;
    pthread_mutex_unlock(mutex);
    const auto now = std::chrono::microseconds{run()->now()};
    const auto time = std::chrono::ceil<std::chrono::microseconds>(when - now).count();
    flashsale::model::process::of_current_fiber().block_until(
        [&until_then] { return until_then.signalled; }, std::max<std::int64_t>(time, 1));
    pthread_mutex_lock(mutex);
    return until_then.signalled ? 0 : ETIMEDOUT;
}

extern "C" int pthread_cond_signal(pthread_cond_t* condition) {
    const auto found = waiting_for::all.find(condition);
    if (found != waiting_for::all.end()) found->second->signalled = true;
    return 0;
}

/// At most one fiber waits for one.
extern "C" int pthread_cond_broadcast(pthread_cond_t* condition) {
    return pthread_cond_signal(condition);
}
