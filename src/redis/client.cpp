#include <cassert>

#include "client_state.hpp"
#include "metrics.hpp"

namespace flashsale::redis {

namespace {

void rethrow(const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

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
