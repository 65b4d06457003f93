#include <boost/asio/post.hpp>
#include <cassert>
#include <flashsale/postgres.hpp>

#include "metrics.hpp"
#include "pool_connection.hpp"

namespace flashsale::postgres {

struct pool::state final : pool_connection::owner, std::enable_shared_from_this<pool::state> {
    state(asio::io_context& io_, options settings_, pool_limits bounds_)
        : io(io_), settings(std::move(settings_)), bounds(bounds_), timer(io_.get_executor()) {
        assert(bounds.connections > 0 && bounds.pipelined_statements_max > 0);
        for (std::size_t i = 0; i < bounds.connections; ++i) {
            connections.push_back(std::make_shared<pool_connection>(io, settings, *this));
        }
    }

    void execute(request what);
    void stop();
    void on_room() override;
    void on_lost() override;

    pool_connection* least_busy() const;
    bool any(bool (pool_connection::*is)() const) const;
    void refuse(request what, error::kind why, std::string message);
    void refuse_all_waiting(const std::string& message);
    void watch_waiting();

    asio::io_context& io;
    const options settings;
    const pool_limits bounds;
    std::vector<std::shared_ptr<pool_connection>> connections;
    std::deque<request> waiting;
    steady_timer timer;  ///< for the first of `waiting`
    bool watching = false;
    bool stopped = false;
};

pool::pool(asio::io_context& io, options settings, pool_limits bounds)
    : state_(std::make_shared<state>(io, std::move(settings), bounds)) {}

pool::~pool() {
    stop();
}

void pool::start() {
    for (const auto& connection : state_->connections)
        connection->start();
}

void pool::stop() {
    state_->stop();
}

bool pool::ready() const {
    return state_->any(&pool_connection::ready);
}

std::string pool::fault() const {
    return ready() ? std::string() : state_->connections.front()->fault();
}

void pool::execute(const statement& what, parameters with, callback<result> done) {
    state_->execute({what, std::move(with), std::move(done),
                     std::chrono::steady_clock::now() + reply_timeout(state_->settings)});
}

awaitable<result> pool::execute(const statement& what, parameters with) {
    // The lambda owns everything: this function's arguments are gone when the coroutine first runs.
    return await_callback<result>(
        [state = state_, what, with = std::move(with)](callback<result> done) mutable {
            state->execute({what, std::move(with), std::move(done),
                            std::chrono::steady_clock::now() + reply_timeout(state->settings)});
        });
}

void pool::state::execute(request what) {
    if (stopped) return refuse(std::move(what), error::kind::unavailable, "the pool was stopped");
    if (!any(&pool_connection::ready) && !any(&pool_connection::opening)) {
        return refuse(std::move(what), error::kind::unavailable, connections.front()->fault());
    }
    if (waiting.empty()) {
        if (auto* connection = least_busy()) return connection->send(std::move(what));
    }
    if (waiting.size() >= bounds.waiting_statements_max) {
        metrics::overloaded.add();
        return refuse(std::move(what), error::kind::overloaded, "too many statements wait");
    }
    waiting.push_back(std::move(what));
    watch_waiting();
}

void pool::state::stop() {
    if (stopped) return;
    stopped = true;
    timer.cancel();
    for (const auto& connection : connections) {
        for (auto& ended : connection->stop()) {
            asio::post(
                io, [ended = std::move(ended)]() mutable { ended.done(std::move(ended.outcome)); });
        }
    }
    refuse_all_waiting("the pool was stopped");
}

void pool::state::on_room() {
    while (!waiting.empty()) {
        auto* connection = least_busy();
        if (!connection) return;
        auto next = std::move(waiting.front());
        waiting.pop_front();
        connection->send(std::move(next));
    }
}

void pool::state::on_lost() {
    if (any(&pool_connection::ready) || any(&pool_connection::opening)) return;
    refuse_all_waiting(connections.front()->fault());
}

/// Null if each is full or none is ready.
pool_connection* pool::state::least_busy() const {
    pool_connection* best = nullptr;
    for (const auto& connection : connections) {
        if (!connection->ready()) continue;
        if (connection->in_flight() >= bounds.pipelined_statements_max) continue;
        if (!best || connection->in_flight() < best->in_flight()) best = connection.get();
    }
    return best;
}

bool pool::state::any(bool (pool_connection::*is)() const) const {
    return std::any_of(connections.begin(), connections.end(),
                       [is](const auto& connection) { return (connection.get()->*is)(); });
}

/// Posted: no callback is called from inside execute().
void pool::state::refuse(request what, error::kind why, std::string message) {
    asio::post(
        io, [done = std::move(what.done), refusal = make_error(why, std::move(message))]() mutable {
            done(std::unexpected(std::move(refusal)));
        });
}

void pool::state::refuse_all_waiting(const std::string& message) {
    for (auto& one : std::exchange(waiting, {})) {
        refuse(std::move(one), error::kind::unavailable, message);
    }
}

void pool::state::watch_waiting() {
    if (watching || waiting.empty()) return;
    watching = true;
    timer.expires_at(waiting.front().until);
    timer.async_wait([this, alive = weak_from_this()](const boost::system::error_code&) {
        if (alive.expired() || stopped) return;
        watching = false;
        const auto now = std::chrono::steady_clock::now();
        while (!waiting.empty() && waiting.front().until <= now) {
            metrics::overloaded.add();
            refuse(std::move(waiting.front()), error::kind::overloaded, "waited too long");
            waiting.pop_front();
        }
        watch_waiting();
    });
}

}  // namespace flashsale::postgres
