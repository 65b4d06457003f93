#pragma once

// rabbitmq-c 0.11 sends without a time limit, and one of its reads has none either (its issues 519
// and 780). A thread of its own looks whether the owner has been inside the library for too long,
// and then shuts the socket down: the poll() in the library returns, the call fails, and the owner
// rebuilds the connection.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace flashsale::amqp {

class watchdog {
public:
    explicit watchdog(std::chrono::milliseconds limit);

    /// The socket to cut; forgotten before it is closed, since its number may be used again.
    void watch(int fd);
    void forget();

    /// While one lives, its thread is inside the library.
    class inside {
    public:
        explicit inside(watchdog& dog) : dog_(dog) { dog_.entered_ = now(); }
        ~inside() { dog_.entered_ = 0; }
        inside(const inside&) = delete;
        inside& operator=(const inside&) = delete;

    private:
        watchdog& dog_;
    };

private:
    static std::int64_t now() {
        return std::chrono::steady_clock::now().time_since_epoch().count();
    }
    void run(const std::stop_token& stop);

    const std::chrono::milliseconds limit_;
    std::atomic<std::int64_t> entered_{0};  ///< steady clock ticks; 0: outside
    std::mutex mutex_;
    std::condition_variable_any changed_;
    int fd_ = -1;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace flashsale::amqp
