#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <flashsale/base/async.hpp>
#include <memory>

namespace flashsale {

/// Readiness of many sockets for code that reads and writes them itself: one epoll of its own,
/// which the io_context sees as one descriptor. Asio's reactor would add an attempt to read in
/// vain, an allocation and two queues to each message. On the io_context's thread.
class poller {
public:
    /// Hears of events, edge-triggered; also of some that are over. So it goes on after an event
    /// until a call would block, or has done less than it was asked for.
    class source {
    public:
        virtual void ready(std::uint32_t epoll_events) = 0;

    protected:
        ~source() = default;
    };

    /// Throws boost::system::system_error.
    explicit poller(asio::io_context& io);
    ~poller();
    poller(const poller&) = delete;
    poller& operator=(const poller&) = delete;

    /// For reading and writing, until the descriptor is closed.
    [[nodiscard]] boost::system::error_code watch(int descriptor, source& heard);
    /// `heard`, whose descriptor is being closed, hears of nothing more.
    void forget(const source& heard);
    /// Lets the io_context run out of work. No source is called after it.
    void stop();

private:
    // Timers and all else of the io_context run between turns: few enough for them to be on time.
    static constexpr int events_per_turn = 64;

    void wait();
    void turn();

    asio::posix::basic_stream_descriptor<executor> epoll_;
    std::array<epoll_event, events_per_turn> events_;
    int told_ = 0;   ///< of events_, in this turn
    int count_ = 0;  ///< in events_
    bool stopped_ = false;
    std::shared_ptr<poller*> self_;  ///< what a handler that comes too late finds empty
};

}  // namespace flashsale
