#include "pool_connection.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <cassert>

#include "durability.hpp"
#include "metrics.hpp"
#include "places.hpp"

namespace flashsale::postgres {

namespace {

constexpr std::chrono::milliseconds reconnect_delay_first{50};
constexpr std::chrono::milliseconds reconnect_delay_max{2'000};
/// A connection that lived shorter counts as another failed attempt.
constexpr std::chrono::seconds lasting{2};
/// Behind a result comes one NULL, at the end of the pipeline another.
constexpr int nulls_max = 3;

}  // namespace

void call_all(std::vector<completion> due) {
    for (auto& one : due)
        one.done(std::move(one.outcome));
}

pool_connection::pool_connection(asio::io_context& io, options settings, owner& pool)
    : io_(io),
      options_(std::move(settings)),
      pool_(&pool),
      descriptor_(io.get_executor()),
      timer_(io.get_executor()),
      random_(std::random_device{}()) {}

pool_connection::~pool_connection() {
    close("destroyed");
}

/// A handler that does nothing once the connection it was made for is no more.
template <class Handler>
auto pool_connection::guarded(Handler handler) {
    return [self = shared_from_this(), made_for = generation_,
            handler = std::move(handler)](const boost::system::error_code& = {}) {
        if (self->generation_ == made_for) handler(*self);
    };
}

void pool_connection::start() {
    assert(phase_ == phase::idle);
    connect();
}

std::vector<completion> pool_connection::stop() {
    auto due = close("the pool was stopped");
    phase_ = phase::stopped;
    fault_ = "stopped";
    return due;
}

// --- connecting ---------------------------------------------------------------------------------

void pool_connection::connect() {
    phase_ = phase::connecting;
    places_.clear();
    place_ = 0;
    faults_.clear();
    const auto settings = connection_settings(options_);
    if (!settings) return fail_soon(settings.error());
    auto places = places_of(*settings);
    if (!places) return fail_soon(places.error());
    places_ = std::move(*places);
    begin(places_.front());
}

void pool_connection::begin(const conninfo& place) {
    connection_ = start_connecting(place);
    if (!connection_ || PQstatus(connection_.get()) == CONNECTION_BAD) {
        return fail_soon(fault_of(connection_.get()));
    }
    timer_.expires_after(options_.connect_timeout);
    const auto late = "no connection to " + name_of_place(place) + " within " +
                      std::to_string(options_.connect_timeout.count()) + " ms";
    timer_.async_wait(guarded([late](pool_connection& c) {
        if (c.phase_ == phase::connecting) c.fail(late);
    }));
    wait_to_poll(PGRES_POLLING_WRITING);
}

/// False: that was the last of this attempt.
bool pool_connection::begin_next(const std::string& why) {
    faults_.append(faults_.empty() ? "" : "; ").append(why);
    if (++place_ >= places_.size()) return false;
    close(why);
    begin(places_[place_]);
    return true;
}

void pool_connection::wait_to_poll(PostgresPollingStatusType status) {
    descriptor_.assign(PQsocket(connection_.get()));
    descriptor_.async_wait(
        status == PGRES_POLLING_READING ? descriptor_.wait_read : descriptor_.wait_write,
        guarded([](pool_connection& c) { c.poll_connect(); }));
}

void pool_connection::poll_connect() {
    descriptor_.release();
    switch (const auto status = PQconnectPoll(connection_.get())) {
        case PGRES_POLLING_OK:
            return ask_durability();
        case PGRES_POLLING_READING:
        case PGRES_POLLING_WRITING:
            return wait_to_poll(status);
        default:
            return fail(fault_of(connection_.get()));
    }
}

/// The last step of connecting, under the same deadline, and before the pipeline: what it says
/// decides whether there is one.
void pool_connection::ask_durability() {
    PGconn* c = connection_.get();
    if (PQsetnonblocking(c, 1) != 0 ||
        !PQsendQueryParams(c, session_query(options_, PQbackendPID(c)).c_str(), 0, nullptr, nullptr,
                           nullptr, nullptr, 1)) {
        return fail(fault_of(c));
    }
    metrics::statements.add();
    durability_ = reply();
    await_durability();
}

void pool_connection::await_durability() {
    PGconn* c = connection_.get();
    const int unsent = PQflush(c);
    if (unsent < 0) return fail(fault_of(c));
    while (!PQisBusy(c)) {
        result_ptr result(PQgetResult(c));
        if (!result) return become_ready();
        durability_.add(std::move(result));
        if (durability_.connection_lost()) return fail(fault_of(c));
    }
    descriptor_.assign(PQsocket(c));
    descriptor_.async_wait(unsent > 0 ? descriptor_.wait_write : descriptor_.wait_read,
                           guarded([](pool_connection& self) {
                               self.descriptor_.release();
                               if (!PQconsumeInput(self.connection_.get()))
                                   return self.fail(fault_of(self.connection_.get()));
                               self.await_durability();
                           }));
}

void pool_connection::become_ready() {
    const auto answer = durability_.take();
    if (!answer) return fail(answer.error().message);
    if (const auto durable = check_session(options_, *answer); !durable)
        return fail(durable.error().message);
    if (PQenterPipelineMode(connection_.get()) != 1) return fail(fault_of(connection_.get()));
    ++generation_;  // the timer of the attempt
    timer_.cancel();
    descriptor_.assign(PQsocket(connection_.get()));
    phase_ = phase::ready;
    tried_ = true;
    fault_.clear();
    ready_since_ = std::chrono::steady_clock::now();
    if (attempts_ > 0) spdlog::info("postgres ({}): connected again", options_.application_name);
    wait_readable();
    pool_->on_room();
}

// --- sending ------------------------------------------------------------------------------------

void pool_connection::send(request what) {
    assert(ready());
    PGconn* c = connection_.get();
    const parameter_view view(what.with);
    const std::string* name = prepared_.find(what.what);
    const bool prepare = name == nullptr;
    if (prepare) name = &prepared_.add(what.what);
    if (in_flight_.empty()) head_since_ = std::chrono::steady_clock::now();
    in_flight_.emplace_back(std::move(what.done), what.until, *name, prepare, reply());
    metrics::statements.add();

    const bool queued =
        (!prepare || PQsendPrepare(c, name->c_str(), what.what.sql, view.count(), view.types())) &&
        PQsendQueryPrepared(c, name->c_str(), view.count(), view.values(), view.lengths(),
                            view.formats(), 1) &&
        PQpipelineSync(c);
    if (!queued) return fail_soon(fault_of(c));
    wait_writable_if_needed();
    watch_deadline();
}

void pool_connection::wait_writable_if_needed() {
    if (writing_) return;
    const int left = PQflush(connection_.get());
    if (left < 0) return fail_soon(fault_of(connection_.get()));
    if (left == 0) return;
    writing_ = true;
    descriptor_.async_wait(descriptor_.wait_write, guarded([](pool_connection& c) {
                               c.writing_ = false;
                               c.wait_writable_if_needed();
                           }));
}

// --- receiving ----------------------------------------------------------------------------------

void pool_connection::wait_readable() {
    descriptor_.async_wait(descriptor_.wait_read,
                           guarded([](pool_connection& c) { c.on_readable(); }));
}

void pool_connection::on_readable() {
    std::vector<completion> due;
    const auto before = in_flight_.size();
    const bool open = PQconsumeInput(connection_.get()) == 1;
    std::string why = open ? std::string() : fault_of(connection_.get());
    if (!drain(due) && why.empty()) why = fault_of(connection_.get());
    if (!why.empty()) return fail(why, std::move(due));
    wait_writable_if_needed();
    wait_readable();
    if (in_flight_.size() == before) return;
    attempts_ = 0;
    pool_->on_room();
    call_all(std::move(due));
}

/// Takes in all that has arrived. False: the connection is of no more use.
bool pool_connection::drain(std::vector<completion>& due) {
    while (!PQisBusy(connection_.get()) && !in_flight_.empty()) {
        result_ptr result(PQgetResult(connection_.get()));
        if (!result) {
            if (++nulls_ > nulls_max) return false;
            continue;
        }
        nulls_ = 0;
        if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
            finish_head(due);
        } else if (!add_result(std::move(result))) {
            return false;
        }
    }
    return true;
}

bool pool_connection::add_result(result_ptr result) {
    auto& head = in_flight_.front();
    if (std::exchange(head.preparing, false)) {
        if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return true;
        prepared_.forget(head.server_name);
    }
    head.answer.add(std::move(result));
    return !head.answer.connection_lost();
}

void pool_connection::finish_head(std::vector<completion>& due) {
    auto& head = in_flight_.front();
    if (head.answer.stale_plan()) prepared_.forget(head.server_name);
    if (head.done) due.emplace_back(std::move(head.done), head.answer.take());
    in_flight_.pop_front();
    head_since_ = std::chrono::steady_clock::now();
}

// --- failing ------------------------------------------------------------------------------------

/// One timer for the connection, not moved with each statement: when it fires it looks again. A
/// caller is told as soon as its own deadline has passed. The connection is given up only if its
/// oldest statement had all that time for itself: a long queue is no reason to break it.
void pool_connection::watch_deadline() {
    if (watching_ || in_flight_.empty()) return;
    watching_ = true;
    auto next = head_since_ + reply_timeout(options_);
    const auto waited_for = std::find_if(in_flight_.begin(), in_flight_.end(),
                                         [](const auto& one) { return bool(one.done); });
    if (waited_for != in_flight_.end()) next = std::min(next, waited_for->until);
    timer_.expires_at(next);
    timer_.async_wait(guarded([](pool_connection& c) {
        c.watching_ = false;
        c.on_deadline();
    }));
}

void pool_connection::on_deadline() {
    if (in_flight_.empty()) return;
    const auto now = std::chrono::steady_clock::now();
    const auto why = "no answer within " + std::to_string(reply_timeout(options_).count()) + " ms";
    if (now - head_since_ >= reply_timeout(options_)) return fail(why);
    std::vector<completion> due;
    for (auto& late : in_flight_) {
        if (now < late.until) break;
        if (!late.done) continue;
        metrics::outcomes_unknown.add();
        due.emplace_back(std::exchange(late.done, nullptr),
                         std::unexpected(make_error(error::kind::outcome_unknown, why)));
    }
    watch_deadline();
    call_all(std::move(due));
}

/// For callers that must not be called back from inside.
void pool_connection::fail_soon(std::string why) {
    asio::post(io_, guarded([why = std::move(why)](pool_connection& c) { c.fail(why); }));
}

void pool_connection::fail(const std::string& reason, std::vector<completion> due) {
    const bool was_ready = phase_ == phase::ready;
    if (phase_ == phase::connecting && begin_next(reason)) return;
    const std::string why = was_ready ? reason : faults_;
    if (was_ready && std::chrono::steady_clock::now() - ready_since_ > lasting) attempts_ = 0;
    for (auto& lost : close(why))
        due.push_back(std::move(lost));
    (was_ready ? metrics::connections_lost : metrics::connects_failed).add();
    if (was_ready || !tried_) spdlog::warn("postgres ({}): {}", options_.application_name, why);
    tried_ = true;
    fault_ = why;

    phase_ = phase::waiting_to_reconnect;
    timer_.expires_after(reconnect_delay());
    ++attempts_;
    timer_.async_wait(guarded([](pool_connection& c) { c.connect(); }));
    pool_->on_lost();
    call_all(std::move(due));
}

/// The first attempt after a loss comes at once; then twice as late each time, less up to a half.
std::chrono::milliseconds pool_connection::reconnect_delay() {
    if (attempts_ == 0) return {};
    const auto doubled = reconnect_delay_first * (1 << std::min(attempts_ - 1, 10));
    const auto longest = std::min<std::chrono::milliseconds>(doubled, reconnect_delay_max);
    return std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(longest.count() / 2, longest.count())(random_));
}

/// What was in flight, with an outcome for each.
std::vector<completion> pool_connection::close(const std::string& why) {
    ++generation_;
    timer_.cancel();
    if (descriptor_.is_open()) descriptor_.release();
    connection_.reset();
    prepared_.clear();
    nulls_ = 0;
    writing_ = false;
    watching_ = false;
    std::vector<completion> due;
    for (auto& statement : std::exchange(in_flight_, {})) {
        if (!statement.done) continue;
        auto outcome = statement.answer.take_unfinished(why);
        if (!outcome && outcome.error().what == error::kind::outcome_unknown) {
            metrics::outcomes_unknown.add();
        }
        due.emplace_back(std::move(statement.done), std::move(outcome));
    }
    return due;
}

}  // namespace flashsale::postgres
