// The publisher: one thread, one connection at a time, one loop.
//
//   read what came (confirms, returns, alarms) → publish while the window has room and the socket
//   does too → both done: sleep until the socket, a wake() or the next deadline
//
// A message is asked for only when it can go out at once, so what waits gathers on the caller's
// side and each message carries all of it. A burst that published anything is followed by another
// look at what came, because the library may have read frames meanwhile, and the socket then
// looks quiet.
//
// Whatever ends a connection ends it the same way: all in flight is unknown, the connection is
// destroyed, and a new one declares everything again.

#include <spdlog/spdlog.h>

#include <charconv>
#include <flashsale/base/backoff.hpp>
#include <flashsale/base/fault_points.hpp>
#include <flashsale/base/thread_name.hpp>
#include <set>
#include <thread>

#include "confirm_window.hpp"
#include "connection.hpp"
#include "metrics.hpp"
#include "table.hpp"
#include "wakeup.hpp"

namespace flashsale::amqp {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto reconnect_floor = 100ms;
constexpr auto reconnect_cap = 2'000ms;
/// A connection that lived longer than this earns an immediate reconnect.
constexpr auto stable_after = 1s;
constexpr auto farewell_patience = 1'000ms;
/// After a nack: so long nothing new is asked for, then what comes next is the trial.
constexpr auto refusal_rest = 1'000ms;
/// A channel goes on refusing for a queue that was full once and has no limit any more: nacked
/// for so long, with no confirm between, it is time for a new one.
constexpr auto refusal_patience = 3'000ms;
constexpr std::size_t routing_key_bytes_max = 255;

}  // namespace

struct publisher::impl {
    impl(options chosen, topology declared, limits bounds, std::function<bool(message&)> next,
         std::function<void(std::uint64_t, outcome)> done)
        : settings_(std::move(chosen)),
          server_(parse_url(settings_.url)),
          names_(std::move(declared)),
          bounds_(bounds),
          next_(std::move(next)),
          done_(std::move(done)),
          window_(bounds.window_max) {}

    void run();
    std::expected<std::unique_ptr<connection>, std::string> open();
    std::string serve(connection& link);
    status read_frames(connection& link);
    void take(const amqp_frame_t& frame);
    status check_age(const connection& link);
    std::expected<std::size_t, std::string> publish_burst(connection& link);
    void sleep(const connection& link);
    void pause(std::chrono::milliseconds time);
    void report();
    void become(link_state now, const std::string& why);
    bool refused() const;
    bool finished() const;

    const options settings_;
    const server server_;
    const topology names_;
    const limits bounds_;
    const std::function<bool(message&)> next_;
    const std::function<void(std::uint64_t, outcome)> done_;

    // of the thread
    confirm_window window_;
    std::vector<confirm_window::settled> settled_;
    message message_;
    bool may_wait_ = false;    ///< `next` was not asked since it last had something
    bool want_write_ = false;  ///< the socket was full
    clock::time_point unblocked_at_{};
    clock::time_point refused_since_{};  ///< the first nack after which nothing was confirmed
    std::optional<watchdog> dog_;
    std::set<std::string> keys_to_bind_;  ///< always empty: a connection binds nothing

    // shared
    wakeup wakeup_;
    std::atomic<bool> stopping_{false};
    std::atomic<clock::time_point> stop_by_{clock::time_point::max()};
    std::atomic<link_state> state_{link_state::down};
    /// The last message that was settled was nacked: until then. The epoch: it was not.
    std::atomic<clock::time_point> refused_until_{clock::time_point{}};
    mutable std::mutex fault_mutex_;
    std::string fault_ = "not started";
    std::thread thread_;
};

// ---- the life of a connection

void publisher::impl::run() {
    backoff delay(reconnect_floor, reconnect_cap);
    while (!finished()) {
        pause(delay.next());
        if (finished()) break;
        auto link = open();
        if (!link) {
            // Once a reason, not once an attempt.
            if (link.error() != fault_) spdlog::warn("amqp publisher: {}", link.error());
            become(link_state::down, link.error());
            continue;
        }
        metrics::connects.add();
        spdlog::info("amqp publisher: connected to {}", server_.name());
        refused_since_ = {};
        refused_until_ = clock::time_point{};
        become(link_state::up, {});
        const auto since = clock::now();
        const std::string reason = serve(**link);
        become(link_state::down, reason.empty() ? "stopped" : reason);
        if (reason.empty()) {
            (*link)->close(farewell_patience);
        } else {
            metrics::disconnects.add();
            spdlog::warn("amqp publisher: lost {}: {}", server_.name(), reason);
        }
        link->reset();
        window_.lose_all(settled_);
        report();
        if (clock::now() - since > stable_after) delay.reset();
    }
    become(link_state::down, "stopped");
}

std::expected<std::unique_ptr<connection>, std::string> publisher::impl::open() {
    auto link = connection::open(settings_, server_, *dog_);
    if (!link) return link;
    if (auto ok = (*link)->declare(names_); !ok) return std::unexpected(ok.error());
    for (const std::string& key : keys_to_bind_) {
        if (auto ok = (*link)->bind(names_, key); !ok) return std::unexpected(ok.error());
    }
    if (auto ok = (*link)->confirm_select(); !ok) return std::unexpected(ok.error());
    return link;
}

/// Returns why it ended; empty when it was told to stop and all is done, or time is up.
std::string publisher::impl::serve(connection& link) {
    for (;;) {
        if (wakeup_.take()) may_wait_ = true;
        if (auto ok = read_frames(link); !ok) return ok.error();
        if (auto ok = check_age(link); !ok) return ok.error();
        const auto published = publish_burst(link);
        if (!published) return published.error();
        if (finished()) return {};
        if (*published == 0) sleep(link);
    }
}

bool publisher::impl::finished() const {
    if (!stopping_) return false;
    const bool idle = window_.empty() && !may_wait_ && !wakeup_.announced();
    return idle || clock::now() >= stop_by_.load();
}

// ---- what comes

status publisher::impl::read_frames(connection& link) {
    amqp_frame_t frame;
    for (;;) {
        const auto got = link.next_frame(frame);
        if (!got) return std::unexpected(got.error());
        if (!*got) break;
        take(frame);
    }
    report();
    const bool was_blocked = state_ == link_state::blocked;
    if (!link.blocked().empty() && !was_blocked) {
        spdlog::warn("amqp publisher: blocked by {}: {}", server_.name(), link.blocked());
        become(link_state::blocked, "blocked by the broker: " + link.blocked());
    } else if (link.blocked().empty() && was_blocked) {
        spdlog::info("amqp publisher: no longer blocked");
        unblocked_at_ = clock::now();
        become(link_state::up, {});
    }
    return {};
}

void publisher::impl::take(const amqp_frame_t& frame) {
    if (frame.frame_type == AMQP_FRAME_HEADER) {
        // Only a return has content on this channel, and it comes before its own ack.
        const auto& properties =
            *static_cast<amqp_basic_properties_t*>(frame.payload.properties.decoded);
        const auto id = to_view(properties.message_id);
        std::uint64_t number = 0;
        std::from_chars(id.data(), id.data() + id.size(), number);
        if (window_.mark_returned(number)) metrics::returned.add();
        return;
    }
    if (frame.frame_type != AMQP_FRAME_METHOD) return;
    if (frame.payload.method.id == AMQP_BASIC_ACK_METHOD) {
        const auto& ack = *static_cast<amqp_basic_ack_t*>(frame.payload.method.decoded);
        window_.ack(ack.delivery_tag, ack.multiple, settled_);
        if (refused_until_.load(std::memory_order_relaxed) != clock::time_point{}) {
            spdlog::info("amqp publisher: {} takes messages again", names_.queue);
            refused_since_ = {};
            refused_until_ = clock::time_point{};
        }
    } else if (frame.payload.method.id == AMQP_BASIC_NACK_METHOD) {
        const auto& nack = *static_cast<amqp_basic_nack_t*>(frame.payload.method.decoded);
        const auto before = settled_.size();
        window_.nack(nack.delivery_tag, nack.multiple, settled_);
        metrics::nacked.add(static_cast<std::int64_t>(settled_.size() - before));
        if (refused_since_ == clock::time_point{}) {
            spdlog::warn("amqp publisher: {} refuses what is published", names_.queue);
            refused_since_ = clock::now();
        }
        refused_until_ = clock::now() + refusal_rest;
    }
}

/// A queue that is full, or has no leader, refuses whatever it is sent, though the connection is
/// sound. A caller that asks before each reservation takes no units whose events will not be
/// confirmed.
bool publisher::impl::refused() const {
    const auto until = refused_until_.load(std::memory_order_relaxed);
    return until != clock::time_point{} && clock::now() < until;
}

/// Under an alarm the broker reads nothing, so no confirm can come: callers are told when their
/// time is over, and the connection is kept, since a new one would only be blocked again.
status publisher::impl::check_age(const connection& link) {
    const auto now = clock::now();
    if (!link.blocked().empty()) {
        window_.give_up(now - bounds_.confirm_timeout, settled_);
        report();
        return {};
    }
    if (refused_since_ != clock::time_point{} && now - refused_since_ > refusal_patience)
        return std::unexpected("the queue " + names_.queue + " refuses what is published");
    const auto oldest = window_.oldest();
    const bool late = oldest && now - std::max(*oldest, unblocked_at_) > bounds_.confirm_timeout;
    const bool owed = window_.owed() && now - unblocked_at_ > bounds_.confirm_timeout;
    if (!late && !owed) return {};
    metrics::confirm_timeouts.add();
    return std::unexpected("no confirm within " + std::to_string(bounds_.confirm_timeout.count()) +
                           " ms");
}

void publisher::impl::report() {
    for (const auto& [tag, what] : settled_) {
        if (what == outcome::confirmed) {
            faults::pass(faults::place::after_confirm);
            metrics::confirmed.add();
        }
        if (what == outcome::unknown) metrics::unknown.add();
        done_(tag, what);
    }
    settled_.clear();
}

// ---- what goes

std::expected<std::size_t, std::string> publisher::impl::publish_burst(connection& link) {
    std::size_t published = 0;
    want_write_ = false;
    while (link.blocked().empty() && !window_.full() && published < bounds_.window_max) {
        if (!link.writable()) {
            want_write_ = true;
            break;
        }
        message_.routing_key.clear();
        message_.body.clear();
        message_.tag = 0;
        may_wait_ = next_(message_);
        if (!may_wait_) break;
        if (message_.routing_key.size() > routing_key_bytes_max) {
            settled_.push_back({message_.tag, outcome::refused});
            report();
            continue;
        }
        if (faults::without(faults::guard::one_binder)) keys_to_bind_.insert(message_.routing_key);
        faults::pass(faults::place::before_publish);
        const auto number = window_.add(message_.tag, clock::now());
        if (auto ok = link.publish(names_.exchange, message_, number); !ok)
            return std::unexpected(ok.error());
        faults::pass(faults::place::after_publish);
        metrics::published.add();
        ++published;
    }
    return published;
}

void publisher::impl::sleep(const connection& link) {
    // The library sends and checks heartbeats only while it is called.
    auto until = clock::now() + settings_.heartbeat / 4;
    if (const auto oldest = window_.oldest())
        until = std::min(until, std::max(*oldest, unblocked_at_) + bounds_.confirm_timeout + 1ms);
    until = std::min(until, stop_by_.load());
    const auto patience = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
    wakeup_.sleep(link.fd(), want_write_, std::max(patience, 1ms));
}

/// Between connections: a wake() must not shorten it, a stop() must.
void publisher::impl::pause(std::chrono::milliseconds time) {
    const auto until = clock::now() + time;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            std::min(until, stop_by_.load()) - clock::now());
        if (left <= 0ms || finished()) return;
        wakeup_.wait(-1, false, left);
    }
}

void publisher::impl::become(link_state now, const std::string& why) {
    const auto before = state_.exchange(now);
    metrics::blocked.add((now == link_state::blocked) - (before == link_state::blocked));
    const std::lock_guard lock(fault_mutex_);
    fault_ = why;
}

// ---- the public surface

publisher::publisher(options settings, topology names, limits bounds,
                     std::function<bool(message&)> next,
                     std::function<void(std::uint64_t tag, outcome what)> done)
    : impl_(std::make_unique<impl>(std::move(settings), std::move(names), bounds, std::move(next),
                                   std::move(done))) {}

publisher::~publisher() {
    stop(0ms);
}

void publisher::start() {
    impl_->dog_.emplace(impl_->settings_.stall_timeout);
    impl_->thread_ = std::thread([this] {
        name_this_thread("publisher");
        impl_->run();
    });
}

void publisher::wake() {
    impl_->wakeup_.announce();
}

link_state publisher::state() const {
    const link_state now = impl_->state_;
    return now == link_state::up && impl_->refused() ? link_state::blocked : now;
}

std::string publisher::fault() const {
    if (impl_->state_ == link_state::up && impl_->refused_until_.load() != clock::time_point{})
        return "the queue " + impl_->names_.queue + " refuses what is published";
    const std::lock_guard lock(impl_->fault_mutex_);
    return impl_->fault_;
}

void publisher::stop(std::chrono::milliseconds patience) {
    if (!impl_->thread_.joinable()) return;
    impl_->stop_by_ = clock::now() + patience;
    impl_->stopping_ = true;
    impl_->wakeup_.signal();
    impl_->thread_.join();
}

}  // namespace flashsale::amqp
