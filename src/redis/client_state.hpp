#pragma once

// The client: a multiplexer joined to an Asio socket.
//
// One coroutine, run() in client_link.cpp, connects, makes the connection ready, reads it to its
// end and waits before the next. The handshake (AUTH, SELECT, PING) travels through the same
// multiplexer as everything else. Writes are posted, so that all commands of one turn of the loop
// share one; while it is in flight the next gathers. break_link() only notes the reason and closes
// the socket: run() sees the read end and fails what is pending, so no callback ever runs inside
// command() or evaluate().
//
// One timer serves all deadlines. It is armed for the head of the FIFO and left alone until it
// fires: commands share one timeout, so no later one is due earlier.

#include <flashsale/redis.hpp>

#include <boost/asio/generic/stream_protocol.hpp>

#include <array>
#include <functional>

#include "multiplexer.hpp"
#include "target.hpp"

namespace flashsale::redis {

using clock = std::chrono::steady_clock;
using stream = asio::generic::stream_protocol;
using stream_socket = asio::basic_stream_socket<stream, executor>;
using name_resolver = asio::ip::basic_resolver<asio::ip::tcp, executor>;
using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor>;

struct client::state : std::enable_shared_from_this<client::state> {
    /// hiredis moves the unread rest of its buffer with each reply: a larger read makes that dear.
    static constexpr std::size_t read_bytes = 16'384;

    state(asio::io_context& io, options chosen)
        : io_(io),
          settings_(std::move(chosen)),
          target_(parse_target(settings_.url)),
          mux_(settings_.pending_commands_max),
          socket_(io),
          resolver_(io),
          reply_timer_(io),
          connect_timer_(io),
          pause_timer_(io) {}

    static awaitable<void> run(std::shared_ptr<state> self);
    awaitable<void> live();
    awaitable<std::vector<stream::endpoint>> resolve();
    awaitable<bool> connect();
    void limit_time(std::function<void()> when_over);
    void break_link_unless_in_time();
    void greet();
    std::string told(const std::string& refusal) const;
    void become_ready();
    void break_link(std::string reason);
    void lose_link();
    void stop();

    void receive(std::size_t size);
    void write_soon();
    void write_now();

    void arm_reply_timer();
    void reply_timer_fired();
    std::optional<clock::time_point> next_wake() const;

    bool accepts(callback<result>& done);
    void fail_soon(callback<result> done, error why);
    void run_failures();

    clock::time_point expiry() const { return clock::now() + settings_.reply_timeout; }

    asio::io_context& io_;
    const options settings_;
    const target target_;
    multiplexer mux_;
    stream_socket socket_;
    name_resolver resolver_;
    timer reply_timer_;
    timer connect_timer_;
    timer pause_timer_;
    std::array<char, read_bytes> read_buffer_;

    bool started_ = false;
    bool stopped_ = false;
    bool ready_ = false;
    bool link_broken_ = false;  ///< the present attempt or connection has its reason to end
    std::string fault_ = "not started";
    clock::time_point ready_since_{};
    std::uint64_t timed_step_ = 0;  ///< counts what has the connect timeout
    bool address_late_ = false;
    std::uint64_t link_ = 0;  ///< counts attempts: a handler of an earlier one does nothing

    bool write_posted_ = false;
    bool writing_ = false;
    bool reply_timer_armed_ = false;
    clock::time_point heard_at_{};
    clock::time_point abandoned_at_{};
    std::deque<completion> failures_;  ///< of commands never sent; their callbacks are posted
    bool failures_posted_ = false;
};

}  // namespace flashsale::redis
