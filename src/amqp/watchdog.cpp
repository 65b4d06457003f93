#include "watchdog.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "metrics.hpp"

namespace flashsale::amqp {

watchdog::watchdog(std::chrono::milliseconds limit)
    : limit_(limit), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void watchdog::watch(int fd) {
    const std::lock_guard lock(mutex_);
    fd_ = fd;
    changed_.notify_all();
}

void watchdog::forget() {
    const std::lock_guard lock(mutex_);
    fd_ = -1;
}

void watchdog::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        if (fd_ < 0) {
            changed_.wait(lock, stop, [this] { return fd_ >= 0; });
            continue;
        }
        changed_.wait_for(lock, stop, limit_ / 4, [] { return false; });
        const auto since = entered_.load();
        if (fd_ < 0 || since == 0) continue;
        const std::chrono::steady_clock::duration stalled(now() - since);
        if (stalled < limit_) continue;
        spdlog::error("amqp: a call has not returned for {} ms, the connection is cut",
                      std::chrono::duration_cast<std::chrono::milliseconds>(stalled).count());
        metrics::stalls.add();
        ::shutdown(fd_, SHUT_RDWR);
        fd_ = -1;
    }
}

}  // namespace flashsale::amqp
