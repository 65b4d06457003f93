#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <flashsale/base/async.hpp>

namespace flashsale::bench {

/// Readiness of many sockets, for a generator that shares its cores with what it measures: one
/// epoll of its own, seen by the io_context as one descriptor. Asio's reactor would add an attempt
/// to read in vain, an allocation and two queues to each answer. One thread.
class poller {
public:
    /// Hears of events, edge-triggered; also of some that are over.
    class source {
    public:
        virtual void ready(std::uint32_t epoll_events) = 0;

    protected:
        ~source() = default;
    };

    explicit poller(asio::io_context& io);

    /// Until the descriptor is closed; `heard` must outlive the poller's last turn.
    void watch(int descriptor, source& heard);
    /// Lets the io_context run out of work.
    void stop();

private:
    void wait();
    void turn();

    asio::posix::basic_stream_descriptor<executor> epoll_;
    bool stopped_ = false;
};

}  // namespace flashsale::bench
