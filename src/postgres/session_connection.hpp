#pragma once

// One connection used in a blocking way, each step with a deadline: libpq's non-blocking calls and
// poll(2), for its blocking ones (PQconnectdb, PQexec, PQreset) can wait for ever on a peer that
// went silent. A connection that failed or came too late is closed at once, so that its late answer
// can never be taken for another statement's; the next open() makes a new one.

#include <flashsale/base/time.hpp>
#include <flashsale/postgres.hpp>
#include <functional>
#include <string>

#include "connection.hpp"
#include "prepared_statements.hpp"
#include "reply.hpp"

namespace flashsale::postgres {

class session_connection {
public:
    explicit session_connection(options settings) : options_(std::move(settings)) {}

    /// Connects unless connected. A connection that the server ended meanwhile is noticed here,
    /// before anything is sent on it.
    std::expected<void, error> open();
    void close();

    bool is_open() const { return connection_ != nullptr; }
    /// How often open() has connected.
    std::uint64_t connections() const { return connections_; }
    /// Whether a pooler is between us and the server; needs open().
    bool is_pooled() const { return pooled_; }
    bool in_transaction() const;         ///< between BEGIN and its end, failed or not
    bool in_failed_transaction() const;  ///< the server accepts nothing but ROLLBACK

    /// Each needs open(), and closes the connection if the reply never came.
    result prepared(const statement& what, const parameters& with);
    result unprepared(std::string_view sql);
    result commit();
    result script(std::string_view sql);

private:
    using send = std::function<int(PGconn*)>;

    std::expected<void, error> connect();
    std::optional<std::string> connect_to(const conninfo& place);
    bool ended_by_server();
    result ask(const char* sql, reply expected, deadline until);
    result exchange(const send& command, reply expected, deadline until, bool* stale = nullptr);
    std::string gather(reply& into, deadline until);
    deadline reply_deadline() const {
        return std::chrono::steady_clock::now() + reply_timeout(options_);
    }

    options options_;
    connection_ptr connection_;
    bool pooled_ = false;
    std::uint64_t connections_ = 0;
    prepared_statements prepared_;
};

}  // namespace flashsale::postgres
