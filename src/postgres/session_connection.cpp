#include "session_connection.hpp"

#include <poll.h>

#include <cassert>
#include <cerrno>

#include "durability.hpp"
#include "metrics.hpp"
#include "places.hpp"

namespace flashsale::postgres {

namespace {

/// False: the deadline passed.
bool wait_for(int socket, short events, deadline until) {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd entry{socket, events, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::min<long>(left.count(), 60'000)));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return true;  // libpq meets the fault and names it
    }
}

std::string too_late(const options& settings) {
    return "no answer within " + std::to_string(reply_timeout(settings).count()) + " ms";
}

}  // namespace

std::expected<void, error> session_connection::open() {
    if (connection_ && ended_by_server()) {
        metrics::connections_lost.add();
        close();
    }
    return connection_ ? std::expected<void, error>() : connect();
}

void session_connection::close() {
    connection_.reset();
    prepared_.clear();
}

bool session_connection::in_transaction() const {
    return connection_ && PQtransactionStatus(connection_.get()) != PQTRANS_IDLE;
}

bool session_connection::in_failed_transaction() const {
    return connection_ && PQtransactionStatus(connection_.get()) == PQTRANS_INERROR;
}

bool session_connection::ended_by_server() {
    // Whatever lies unread while nothing was asked is a farewell, its end of file, or a notice.
    for (int reads = 0; reads < 100; ++reads) {
        pollfd entry{PQsocket(connection_.get()), POLLIN, 0};
        if (::poll(&entry, 1, 0) == 0) return PQstatus(connection_.get()) != CONNECTION_OK;
        if (!PQconsumeInput(connection_.get())) return true;
        (void)PQisBusy(connection_.get());  // parses what was read
    }
    return true;
}

std::expected<void, error> session_connection::connect() {
    const auto failed = [this](std::string why) {
        metrics::connects_failed.add();
        close();
        return std::unexpected(make_error(error::kind::unavailable, std::move(why)));
    };
    const auto settings = connection_settings(options_);
    if (!settings) return failed(settings.error());
    const auto places = places_of(*settings);
    if (!places) return failed(places.error());
    std::string faults;
    for (const conninfo& place : *places) {
        auto why = connect_to(place);
        if (!why) {
            PQsetnonblocking(connection_.get(), 1);
            const auto answer =
                ask(session_query(options_, PQbackendPID(connection_.get())).c_str(), reply(),
                    std::chrono::steady_clock::now() + options_.connect_timeout);
            if (answer) {
                auto durable = check_session(options_, *answer);
                pooled_ = postgres::is_pooled(*answer);
                if (durable) {
                    ++connections_;
                    return {};
                }
                metrics::connects_failed.add();
                close();
                return durable;
            }
            why = answer.error().message;
        }
        faults.append(faults.empty() ? "" : "; ").append(*why);
    }
    return failed(faults);
}

/// Why not, if so.
std::optional<std::string> session_connection::connect_to(const conninfo& place) {
    const auto until = std::chrono::steady_clock::now() + options_.connect_timeout;
    connection_ = start_connecting(place);
    if (!connection_ || PQstatus(connection_.get()) == CONNECTION_BAD) {
        return fault_of(connection_.get());
    }
    auto status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK) {
        const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        // The socket may be another one after each PQconnectPoll.
        if (!wait_for(PQsocket(connection_.get()), events, until)) {
            return "no connection to " + name_of_place(place) + " within " +
                   std::to_string(options_.connect_timeout.count()) + " ms";
        }
        status = PQconnectPoll(connection_.get());
        if (status == PGRES_POLLING_FAILED) return fault_of(connection_.get());
    }
    return std::nullopt;
}

result session_connection::prepared(const statement& what, const parameters& with) {
    const auto until = reply_deadline();
    const parameter_view view(with);
    const std::string* name = prepared_.find(what);
    if (!name) {
        name = &prepared_.add(what);
        auto prepared = exchange(
            [&](PGconn* c) {
                return PQsendPrepare(c, name->c_str(), what.sql, view.count(), view.types());
            },
            reply(), until);
        if (!prepared) {
            // PREPARE alone changes nothing, so its loss is no unknown outcome.
            if (prepared.error().what == error::kind::outcome_unknown) {
                prepared.error().what = error::kind::unavailable;
            } else {
                prepared_.forget(*name);
            }
            return prepared;
        }
    }
    bool stale = false;
    const std::string used = *name;
    auto answer = exchange(
        [&](PGconn* c) {
            return PQsendQueryPrepared(c, used.c_str(), view.count(), view.values(), view.lengths(),
                                       view.formats(), 1);
        },
        reply(), until, &stale);
    if (stale) prepared_.forget(used);
    return answer;
}

result session_connection::unprepared(std::string_view sql) {
    return ask(std::string(sql).c_str(), reply(), reply_deadline());
}

result session_connection::commit() {
    return ask("COMMIT", reply(true), reply_deadline());
}

result session_connection::script(std::string_view sql) {
    const std::string text(sql);
    return exchange([&](PGconn* c) { return PQsendQuery(c, text.c_str()); },
                    reply(!in_transaction()), reply_deadline());
}

/// One statement, unprepared.
result session_connection::ask(const char* sql, reply expected, deadline until) {
    return exchange(
        [sql](PGconn* c) {
            return PQsendQueryParams(c, sql, 0, nullptr, nullptr, nullptr, nullptr, 1);
        },
        std::move(expected), until);
}

result session_connection::exchange(const send& command, reply expected, deadline until,
                                    bool* stale) {
    assert(connection_);
    metrics::statements.add();
    std::string fault;
    if (command(connection_.get())) {
        fault = gather(expected, until);
    } else {
        fault = fault_of(connection_.get());
    }
    if (stale) *stale = expected.stale_plan();
    if (fault.empty() && PQstatus(connection_.get()) == CONNECTION_OK) return expected.take();
    metrics::connections_lost.add();
    close();
    auto outcome = expected.take_unfinished(std::move(fault));
    if (!outcome && outcome.error().what == error::kind::outcome_unknown) {
        metrics::outcomes_unknown.add();
    }
    return outcome;
}

/// Adds results until the server is ready for the next statement; else says why that never came.
std::string session_connection::gather(reply& into, deadline until) {
    PGconn* c = connection_.get();
    for (bool readable = true;;) {
        const int unsent = PQflush(c);
        while (!PQisBusy(c)) {
            result_ptr result(PQgetResult(c));
            if (!result) return {};
            into.add(std::move(result));
            if (into.connection_lost()) return fault_of(c);
        }
        if (unsent < 0 || !readable) return fault_of(c);
        // While output waits, input must be read too: the server may be blocked on sending to us.
        const auto events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
        if (!wait_for(PQsocket(c), events, until)) return too_late(options_);
        readable = PQconsumeInput(c) == 1;
    }
}

}  // namespace flashsale::postgres
