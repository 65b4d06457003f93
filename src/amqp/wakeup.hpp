#pragma once

#include <chrono>

namespace flashsale::amqp {

/// An eventfd: signal() from any thread ends a wait() of the owner, also one that has not begun.
class wakeup {
public:
    wakeup();
    ~wakeup();
    wakeup(const wakeup&) = delete;
    wakeup& operator=(const wakeup&) = delete;

    void signal() noexcept;

    /// Waits for `fd` to become readable (or writable, if asked for), or a signal, or the time.
    /// True: signalled; the signal is used up. `fd` -1 waits for a signal alone.
    bool wait(int fd, bool or_writable, std::chrono::milliseconds patience) noexcept;

private:
    int event_;
};

}  // namespace flashsale::amqp
