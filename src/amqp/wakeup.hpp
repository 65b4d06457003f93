#pragma once

#include <atomic>
#include <chrono>

namespace flashsale::amqp {

/// How any thread ends the sleep of the one that owns this, by an eventfd.
///
/// announce() and sleep() agree without a lock: the sleeper says that it sleeps, then looks whether
/// something was announced; the announcer announces, then looks whether the other sleeps. Both are
/// sequentially consistent, so one of them sees the other, and to announce to an owner that is
/// awake costs no system call.
class wakeup {
public:
    wakeup();
    ~wakeup();
    wakeup(const wakeup&) = delete;
    wakeup& operator=(const wakeup&) = delete;

    /// Something waits. Any thread.
    void announce() noexcept;
    /// Was anything announced since the last call? Ask before looking for it.
    bool take() noexcept { return announced_.exchange(false); }
    bool announced() const noexcept { return announced_; }

    /// Waits for `fd` to become readable (or writable, if asked for), an announcement, or the time.
    void sleep(int fd, bool or_writable, std::chrono::milliseconds patience) noexcept;

    /// Ends a wait(), also one that has not begun, and a sleep(). Any thread.
    void signal() noexcept;
    /// As sleep(), but only a signal() ends it. True: signalled; the signal is used up. `fd` -1
    /// waits for a signal alone.
    bool wait(int fd, bool or_writable, std::chrono::milliseconds patience) noexcept;

private:
    int event_;
    std::atomic<bool> announced_{false};
    std::atomic<bool> sleeping_{false};
};

}  // namespace flashsale::amqp
