#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "connection.hpp"
#include "cors.hpp"
#include "metrics.hpp"

namespace flashsale::http {

using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;

/// Of all workers together.
struct connection_count {
    std::atomic<std::size_t> open{0};
    std::atomic<std::size_t> streams{0};
};

/// What the connections of one worker share. On the worker's thread, but for the constructor.
class worker_loop : public std::enable_shared_from_this<worker_loop> {
public:
    worker_loop(const worker& owner, const limits& bounds, std::shared_ptr<connection_count> count);
    ~worker_loop();

    void start();
    void stop();
    void abort();

    /// Takes over an accepted socket that connection_count already counts.
    void adopt(tcp_socket socket, const asio::ip::address& client, bool refused);
    void remove(connection& closed);

    /// `flush_turn` of this connection will be called when what is ready now has run.
    void flush_at_end_of_turn(std::shared_ptr<connection> answered);

    asio::io_context& io() { return owner_.io; }
    poller& readiness() { return readiness_; }
    const router& routes() const { return owner_.routes; }
    const limits& bounds() const { return bounds_; }
    void set_bounds(const limits& bounds) { bounds_ = bounds; }
    bool stopping() const { return stopping_; }
    const common_lines& lines() const { return lines_; }
    const cors_policy& cors() const { return cors_; }

    /// nullptr: there are too many.
    std::unique_ptr<running_stream> begin_stream(std::shared_ptr<body_source> source) {
        return running_stream::begin(std::move(source), {count_, &count_->streams},
                                     bounds_.streams_max);
    }

    /// For the next request, unless its client has named it.
    request_name make_name() { return {{}, lines_.prefix(), ++requests_named_}; }

    /// A deadline at least `timeout` away, without asking the clock.
    std::chrono::steady_clock::time_point after(std::chrono::milliseconds timeout) const {
        return now_ + timeout + sweep_interval;
    }

    tally counted;

    static constexpr std::chrono::milliseconds sweep_interval{250};

private:
    void end();
    void flush_turn();
    void wait_for_sweep();
    void sweep();

    worker owner_;
    limits bounds_;
    const cors_policy cors_;
    std::shared_ptr<connection_count> count_;
    poller readiness_;
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, executor>
        sweep_timer_;
    std::chrono::steady_clock::time_point now_;
    common_lines lines_;
    std::uint64_t requests_named_ = 0;
    std::vector<std::shared_ptr<connection>> connections_;
    std::vector<std::shared_ptr<connection>> answered_;
    std::vector<std::shared_ptr<connection>> flushing_;
    bool stopping_ = false;
};

}  // namespace flashsale::http
