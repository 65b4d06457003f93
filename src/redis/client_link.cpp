// The life of a connection: to connect, to become ready, to end, and to begin again.

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <flashsale/base/backoff.hpp>

#include "client_state.hpp"
#include "metrics.hpp"

namespace flashsale::redis {

namespace {

using namespace std::chrono_literals;

constexpr auto no_throw = asio::as_tuple(use_awaitable);
constexpr auto reconnect_floor = 50ms;
constexpr auto reconnect_cap = 2'000ms;
/// A connection that lived longer than this earns an immediate reconnect.
constexpr auto stable_after = 1s;

}  // namespace

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
    break_link_unless_in_time();
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

/// One thing at a time has the connect timeout: a resolution, an address, the greeting. A handler
/// that was due when the next began does nothing.
void client::state::limit_time(std::function<void()> when_over) {
    connect_timer_.expires_after(settings_.connect_timeout);
    connect_timer_.async_wait(
        [self = shared_from_this(), step = ++timed_step_, over = std::move(when_over)](auto ec) {
            if (!ec && !self->stopped_ && step == self->timed_step_) over();
        });
}

void client::state::break_link_unless_in_time() {
    limit_time([this] {
        if (!ready_) break_link("no answer within the connect timeout");
    });
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
        // Each has the whole time: one that does not answer delays none behind it.
        limit_time([this] {
            address_late_ = true;
            boost::system::error_code closing;
            socket_.close(closing);
        });
        address_late_ = false;
        const auto [ec] = co_await socket_.async_connect(endpoint, no_throw);
        ++timed_step_;
        if (link_broken_ || stopped_) co_return false;
        if (!ec) {
            if (target_.path.empty()) socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
            break_link_unless_in_time();
            co_return true;
        }
        fault_ = address_late_ ? "no answer within the connect timeout" : ec.message();
    }
    if (!link_broken_ && !stopped_)
        break_link(endpoints.empty() ? "cannot resolve " + target_.host
                                     : "cannot connect: " + std::exchange(fault_, {}));
    co_return false;
}

/// A server without the command repeats what it was called with, the password included.
std::string client::state::told(const std::string& refusal) const {
    for (const std::string& secret : {target_.password, target_.user}) {
        if (!secret.empty() && refusal.find(secret) != std::string::npos)
            return refusal.substr(0, refusal.find(' ')) +
                   " (the rest is not shown: it repeats what was sent)";
    }
    return refusal;
}

void client::state::greet() {
    const auto send = [this](std::initializer_list<std::string_view> words, const char* name) {
        mux_.add_command({words.begin(), words.size()}, expiry(), [this, name](result answer) {
            if (link_broken_ || stopped_) return;
            if (!answer) return break_link(std::string(name) + ": " + told(answer.error().message));
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
    ++timed_step_;
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
    ++timed_step_;
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

}  // namespace flashsale::redis
