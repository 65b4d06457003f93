#include "wakeup.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <system_error>

namespace flashsale::amqp {

wakeup::wakeup() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (event_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

wakeup::~wakeup() {
    ::close(event_);
}

void wakeup::announce() noexcept {
    announced_ = true;
    if (sleeping_) signal();
}

void wakeup::sleep(int fd, bool or_writable, std::chrono::milliseconds patience) noexcept {
    sleeping_ = true;
    if (!announced_) wait(fd, or_writable, patience);
    sleeping_ = false;
}

void wakeup::signal() noexcept {
    const std::uint64_t one = 1;
    // It fails only when the counter is full: then a signal is pending already.
    [[maybe_unused]] const auto ignored = ::write(event_, &one, sizeof one);
}

bool wakeup::wait(int fd, bool or_writable, std::chrono::milliseconds patience) noexcept {
    pollfd ready[2] = {{event_, POLLIN, 0},
                       {fd, static_cast<short>(or_writable ? POLLIN | POLLOUT : POLLIN), 0}};
    const auto wait_ms = std::clamp<std::int64_t>(patience.count(), 0, INT_MAX);
    if (::poll(ready, fd < 0 ? 1 : 2, static_cast<int>(wait_ms)) <= 0) return false;
    std::uint64_t count = 0;
    return (ready[0].revents & POLLIN) && ::read(event_, &count, sizeof count) > 0;
}

}  // namespace flashsale::amqp
