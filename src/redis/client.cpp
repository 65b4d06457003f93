// The client: a multiplexer joined to an Asio socket.
//
// One coroutine, run(), connects, makes the connection ready, reads it to its end and waits before
// the next. The handshake (AUTH, SELECT, PING) travels through the same multiplexer as everything
// else. Writes are posted, so that all commands of one turn of the loop share one; while it is in
// flight the next gathers. break_link() only notes the reason and closes the socket: run() sees the
// read end and fails what is pending, so no callback ever runs inside command() or evaluate().
//
// One timer serves all deadlines. It is armed for the head of the FIFO and left alone until it
// fires: commands share one timeout, so no later one is due earlier.

#include <flashsale/redis.hpp>

#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <array>
#include <cassert>

#include "backoff.hpp"
#include "metrics.hpp"
#include "multiplexer.hpp"
#include "target.hpp"

namespace flashsale::redis {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using stream = asio::generic::stream_protocol;
using stream_socket = asio::basic_stream_socket<stream, executor>;
using name_resolver = asio::ip::basic_resolver<asio::ip::tcp, executor>;
using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor>;

constexpr auto no_throw = asio::as_tuple(use_awaitable);
constexpr auto reconnect_floor = 50ms;
constexpr auto reconnect_cap = 2'000ms;
/// A connection that lived longer than this earns an immediate reconnect.
constexpr auto stable_after = 1s;
/// hiredis moves the unread rest of its buffer with each reply: a larger read makes that dear.
constexpr std::size_t read_bytes = 16 * 1024;

void rethrow(std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

struct client::state : std::enable_shared_from_this<client::state> {
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
    void greet();
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
    std::uint64_t link_ = 0;  ///< counts attempts: a handler of an earlier one does nothing

    bool write_posted_ = false;
    bool writing_ = false;
    bool reply_timer_armed_ = false;
    clock::time_point heard_at_{};
    clock::time_point abandoned_at_{};
    std::deque<completion> failures_;  ///< of commands never sent; their callbacks are posted
    bool failures_posted_ = false;
};

// ---- the life of a connection

awaitable<void> client::state::run(std::shared_ptr<state> self) {
    state& my = *self;
    backoff pause(reconnect_floor, reconnect_cap);
    while (!my.stopped_) {
        if (const auto wait = pause.next(); wait > 0ms) {
            my.pause_timer_.expires_after(wait);
            co_await my.pause_timer_.async_wait(no_throw);
            if (my.stopped_) break;
        }
        my.ready_since_ = {};
        co_await my.live();
        if (my.stopped_) break;
        if (my.ready_since_ != clock::time_point{} && clock::now() - my.ready_since_ > stable_after)
            pause.reset();
        my.lose_link();
    }
}

awaitable<void> client::state::live() {
    link_broken_ = false;
    writing_ = false;
    ++link_;
    connect_timer_.expires_after(settings_.connect_timeout);
    connect_timer_.async_wait([self = shared_from_this(), link = link_](auto ec) {
        if (!ec && !self->stopped_ && link == self->link_ && !self->ready_)
            self->break_link("no answer within the connect timeout");
    });
    if (!co_await connect()) co_return;

    greet();
    while (!link_broken_ && !stopped_) {
        const auto [ec, size] =
            co_await socket_.async_read_some(asio::buffer(read_buffer_), no_throw);
        if (link_broken_ || stopped_) co_return;
        if (ec)
            co_return break_link(ec == asio::error::eof ? "the server closed the connection"
                                                        : ec.message());
        receive(size);
    }
}

awaitable<std::vector<stream::endpoint>> client::state::resolve() {
    std::vector<stream::endpoint> found;
    if (!target_.path.empty()) {
        found.emplace_back(asio::local::stream_protocol::endpoint(target_.path));
        co_return found;
    }
    boost::system::error_code not_numeric;
    const auto address = asio::ip::make_address(target_.host, not_numeric);
    if (!not_numeric) {
        const auto port = static_cast<unsigned short>(std::stoi(target_.port));
        found.emplace_back(asio::ip::tcp::endpoint(address, port));
        co_return found;
    }
    const auto [ec, entries] =
        co_await resolver_.async_resolve(target_.host, target_.port, no_throw);
    if (ec && !stopped_) break_link("cannot resolve " + target_.host + ": " + ec.message());
    for (const auto& entry : entries)
        found.emplace_back(entry.endpoint());
    co_return found;
}

awaitable<bool> client::state::connect() {
    const auto endpoints = co_await resolve();
    for (const auto& endpoint : endpoints) {
        if (link_broken_ || stopped_) co_return false;
        boost::system::error_code ignored;
        socket_.close(ignored);
        const auto [ec] = co_await socket_.async_connect(endpoint, no_throw);
        if (link_broken_ || stopped_) co_return false;
        if (!ec) {
            if (target_.path.empty()) socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
            co_return true;
        }
        fault_ = ec.message();
    }
    if (!link_broken_ && !stopped_)
        break_link(endpoints.empty() ? "cannot resolve " + target_.host
                                     : "cannot connect: " + std::exchange(fault_, {}));
    co_return false;
}

void client::state::greet() {
    const auto send = [this](std::initializer_list<std::string_view> words, const char* name) {
        mux_.add_command({words.begin(), words.size()}, expiry(), [this, name](result answer) {
            if (link_broken_ || stopped_) return;
            if (!answer) return break_link(std::string(name) + ": " + answer.error().message);
        });
    };
    if (!target_.user.empty())
        send({"AUTH", target_.user, target_.password}, "AUTH");
    else if (!target_.password.empty())
        send({"AUTH", target_.password}, "AUTH");
    if (target_.database != 0) send({"SELECT", std::to_string(target_.database)}, "SELECT");

    const std::string_view ping = "PING";
    mux_.add_command({&ping, 1}, expiry(), [this](result answer) {
        if (link_broken_ || stopped_) return;
        // A server that cannot write its disk refuses PING too (MISCONF), but still serves reads.
        if (!answer && !answer.error().message.starts_with("MISCONF"))
            return break_link("PING: " + answer.error().message);
        become_ready();
    });
    heard_at_ = clock::now();
    arm_reply_timer();
    write_soon();
}

void client::state::become_ready() {
    ready_ = true;
    ready_since_ = clock::now();
    fault_.clear();
    connect_timer_.cancel();
    metrics::connects.add();
    spdlog::info("redis: connected to {}", target_.name());
}

void client::state::break_link(std::string reason) {
    if (link_broken_) return;
    link_broken_ = true;
    if (std::exchange(ready_, false)) {
        metrics::disconnects.add();
        spdlog::warn("redis: lost {}: {}", target_.name(), reason);
    } else {
        spdlog::warn("redis: cannot use {}: {}", target_.name(), reason);
    }
    fault_ = std::move(reason);
    boost::system::error_code ignored;
    resolver_.cancel();
    connect_timer_.cancel();
    socket_.close(ignored);
}

void client::state::lose_link() {
    const std::string reason = fault_;
    while (auto failed = mux_.fail_next(reason))
        failed->done(std::move(failed->outcome));
    mux_.reset();
}

void client::state::stop() {
    if (std::exchange(stopped_, true)) return;
    ready_ = false;
    fault_ = "stopped";
    boost::system::error_code ignored;
    resolver_.cancel();
    reply_timer_.cancel();
    connect_timer_.cancel();
    pause_timer_.cancel();
    socket_.close(ignored);
    lose_link();
    run_failures();
}

// ---- reading and writing

void client::state::receive(std::size_t size) {
    heard_at_ = clock::now();
    mux_.feed({read_buffer_.data(), size});
    // A callback may stop the client: next() then has nothing more.
    while (auto finished = mux_.next())
        finished->done(std::move(finished->outcome));
    if (stopped_) return;
    if (!mux_.fault().empty()) return break_link("protocol error: " + mux_.fault());
    arm_reply_timer();
    write_soon();
}

void client::state::write_soon() {
    if (write_posted_ || writing_ || link_broken_ || !mux_.wants_write()) return;
    write_posted_ = true;
    asio::post(io_, [self = shared_from_this()] {
        self->write_posted_ = false;
        self->write_now();
    });
}

void client::state::write_now() {
    if (writing_ || link_broken_ || stopped_ || !socket_.is_open() || !mux_.wants_write()) return;
    writing_ = true;
    auto bytes = mux_.begin_write();
    const auto view = asio::buffer(*bytes);
    asio::async_write(socket_, view,
                      [self = shared_from_this(), link = link_, bytes = std::move(bytes)](
                          const boost::system::error_code& ec, std::size_t) {
                          if (link != self->link_ || self->link_broken_ || self->stopped_) return;
                          self->writing_ = false;
                          self->mux_.end_write();
                          if (ec) return self->break_link("write: " + ec.message());
                          self->write_now();
                      });
}

// ---- deadlines

std::optional<clock::time_point> client::state::next_wake() const {
    auto wake = mux_.first_deadline();
    if (mux_.abandoned() > 0) {
        const auto silent = std::max(heard_at_, abandoned_at_) + settings_.reply_timeout;
        wake = wake ? std::min(*wake, silent) : silent;
    }
    return wake;
}

void client::state::arm_reply_timer() {
    if (reply_timer_armed_ || stopped_) return;
    const auto wake = next_wake();
    if (!wake) return;
    reply_timer_armed_ = true;
    reply_timer_.expires_at(*wake);
    reply_timer_.async_wait([self = shared_from_this()](auto) {
        self->reply_timer_armed_ = false;
        if (!self->stopped_) self->reply_timer_fired();
    });
}

void client::state::reply_timer_fired() {
    if (link_broken_) return;
    const auto now = clock::now();
    if (mux_.abandoned() == 0) abandoned_at_ = now;
    while (auto late = mux_.abandon_expired(now)) {
        metrics::timeouts.add();
        late->done(std::move(late->outcome));
    }
    if (stopped_ || link_broken_) return;
    if (mux_.abandoned() > 0 && now >= std::max(heard_at_, abandoned_at_) + settings_.reply_timeout)
        return break_link("silent for " + std::to_string(2 * settings_.reply_timeout.count()) +
                          " ms");
    arm_reply_timer();
}

// ---- commands

bool client::state::accepts(callback<result>& done) {
    if (ready_ && !mux_.full()) return true;
    if (ready_) {
        metrics::overloads.add();
        fail_soon(std::move(done), {error::kind::overloaded, "too many unanswered commands"});
    } else {
        fail_soon(std::move(done), {error::kind::unavailable, fault_});
    }
    return false;
}

void client::state::fail_soon(callback<result> done, error why) {
    failures_.push_back({std::move(done), std::unexpected(std::move(why))});
    if (std::exchange(failures_posted_, true)) return;
    asio::post(io_, [self = shared_from_this()] { self->run_failures(); });
}

void client::state::run_failures() {
    failures_posted_ = false;
    // Those that a callback adds wait for a turn of their own: a caller that tries again at once
    // would otherwise never let the loop go.
    for (auto left = failures_.size(); left > 0 && !failures_.empty(); --left) {
        completion failed = std::move(failures_.front());
        failures_.pop_front();
        failed.done(std::move(failed.outcome));
    }
}

// ---- the public surface

client::client(asio::io_context& io, options settings)
    : state_(std::make_shared<state>(io, std::move(settings))) {}

client::~client() {
    state_->stop();
}

void client::start() {
    assert(!state_->started_);
    state_->started_ = true;
    state_->fault_ = "connecting";
    asio::co_spawn(state_->io_, state::run(state_), rethrow);
}

void client::stop() {
    state_->stop();
}

bool client::ready() const {
    return state_->ready_;
}

std::string client::fault() const {
    return state_->fault_;
}

void client::command(std::span<const std::string_view> arguments, callback<result> done) {
    if (!state_->accepts(done)) return;
    state_->mux_.add_command(arguments, state_->expiry(), std::move(done));
    state_->arm_reply_timer();
    state_->write_soon();
}

void client::evaluate(const script& what, std::span<const std::string_view> keys,
                      std::span<const std::string_view> arguments, callback<result> done) {
    if (!state_->accepts(done)) return;
    state_->mux_.add_script(what, keys, arguments, state_->expiry(), std::move(done));
    state_->arm_reply_timer();
    state_->write_soon();
}

}  // namespace flashsale::redis
