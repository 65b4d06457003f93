#pragma once

// One connection of a pool: libpq's pipeline mode on an io_context, never blocking.
//
// How it works. Each statement is [PREPARE,] EXECUTE, SYNC: one sync each, so that an error skips
// to the statement's own sync and does not touch its neighbours. One read wait stands at all times;
// it is also how the end of an idle connection is noticed. When it fires, all that arrived is
// drained (while !PQisBusy, without waiting again: the rest may be in libpq's buffer already and
// the socket silent), results go to the oldest statement in flight, and its callback is due at its
// sync. A write wait stands only while PQflush says that output is left.
//
// Why it is right. A NULL ends a query, and none follows PIPELINE_SYNC; when the server shuts down
// there may be an error and never a sync, so NULLs without one mean that the connection is gone.
// libpq may change its socket inside PQconnectPoll and closes it in PQfinish: the descriptor is
// released before either. Callbacks run last in a handler, when this object has no more to do, for
// they may send, stop or destroy. Handlers of an earlier socket or timer are told by `generation_`.

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <flashsale/postgres.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "connection.hpp"
#include "prepared_statements.hpp"
#include "reply.hpp"

namespace flashsale::postgres {

using steady_timer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, executor>;

/// A statement that a caller waits for.
struct request {
    statement what;
    parameters with;
    callback<result> done;
    deadline until;
};

/// A callback that is due, with what it will be called with.
struct completion {
    callback<result> done;
    result outcome;
};

class pool_connection : public std::enable_shared_from_this<pool_connection> {
public:
    struct owner {
        virtual ~owner() = default;
        virtual void on_room() = 0;  ///< became ready, or statements finished
        virtual void on_lost() = 0;  ///< an attempt to connect failed, or the connection ended
    };

    /// `pool` is not called after stop().
    pool_connection(asio::io_context& io, options settings, owner& pool);
    ~pool_connection();
    pool_connection(const pool_connection&) = delete;
    pool_connection& operator=(const pool_connection&) = delete;

    void start();
    /// What was in flight, as outcome_unknown.
    std::vector<completion> stop();

    bool ready() const { return phase_ == phase::ready; }
    bool opening() const { return phase_ == phase::connecting && !tried_; }  ///< the first attempt
    std::size_t in_flight() const { return in_flight_.size(); }
    const std::string& fault() const { return fault_; }

    /// Needs ready(). Calls nothing back before it returns.
    void send(request what);

private:
    enum class phase { idle, connecting, ready, waiting_to_reconnect, stopped };

    struct sent_statement {
        callback<result> done;  ///< empty once the caller was told that it is late
        deadline until;
        std::string server_name;
        bool preparing;  ///< the results are still those of PREPARE
        reply answer;
    };

    void connect();
    void begin(const conninfo& place);
    bool begin_next(const std::string& why);
    void wait_to_poll(PostgresPollingStatusType status);
    void poll_connect();
    void ask_durability();
    void await_durability();
    void become_ready();

    void wait_readable();
    void wait_writable_if_needed();
    void on_readable();
    bool drain(std::vector<completion>& due);
    bool add_result(result_ptr result);
    void finish_head(std::vector<completion>& due);

    void watch_deadline();
    void on_deadline();
    void fail_soon(std::string why);
    void fail(const std::string& reason, std::vector<completion> due = {});
    std::vector<completion> close(const std::string& why);
    std::chrono::milliseconds reconnect_delay();

    template <class Handler>
    auto guarded(Handler handler);

    asio::io_context& io_;
    options options_;
    owner* pool_;
    asio::posix::basic_stream_descriptor<executor> descriptor_;
    steady_timer timer_;
    std::vector<conninfo> places_;  ///< of this attempt
    std::size_t place_ = 0;         ///< of them, the one that is tried
    std::string faults_;            ///< of those before it
    connection_ptr connection_;
    prepared_statements prepared_;
    reply durability_;
    std::deque<sent_statement> in_flight_;
    phase phase_ = phase::idle;
    std::string fault_ = "not started";
    unsigned generation_ = 0;
    int attempts_ = 0;  ///< since the last connection that lasted
    int nulls_ = 0;     ///< from PQgetResult, in a row
    bool tried_ = false;
    bool writing_ = false;
    bool watching_ = false;
    deadline ready_since_;
    deadline head_since_;  ///< when the oldest in flight became the oldest
    std::minstd_rand random_;
};

void call_all(std::vector<completion> due);

}  // namespace flashsale::postgres
