// How a pooler hands out its connections to the server. pgbouncer does not tell, but to its
// administrators; so it is tried. A session that has a server connection for its whole life keeps
// it while another is in a transaction, and no other is given it.

#include <flashsale/postgres/pooler.hpp>

#include "error.hpp"
#include "session_connection.hpp"

namespace flashsale::postgres {

namespace {

/// More than one, for another session may have taken the connection that gave itself away.
constexpr int rounds = 3;

std::unexpected<error> refuse(std::string why) {
    return std::unexpected(make_error(error::kind::not_durable, std::move(why)));
}

std::unexpected<error> refuse_mode(const std::string& mode) {
    return refuse("the pooler before it hands out connections by " + mode +
                  ": settings, prepared statements and leases need them for whole sessions "
                  "(pgbouncer: pool_mode = session)");
}

std::expected<std::string, error> server_of(session_connection& connection) {
    const auto answer = connection.unprepared("SELECT pg_backend_pid()::text");
    if (!answer) return std::unexpected(answer.error());
    return std::string(answer->text(0, 0));
}

}  // namespace

std::expected<void, error> check_pooler(const options& from) {
    session_connection first(from);
    session_connection second(from);
    if (auto open = first.open(); !open) return open;
    if (!first.is_pooled()) return {};
    if (const auto open = second.open(); !open) {
        return refuse("the pooler before it gives no second connection (" + open.error().message +
                      "): enlarge its pool");
    }
    for (int round = 0; round < rounds; ++round) {
        const auto before = server_of(first);
        if (!before) return std::unexpected(before.error());
        if (const auto begun = second.unprepared("BEGIN"); !begun) {
            if (begun.error().message.find("statement pooling") != std::string::npos)
                return refuse_mode("the statement");
            return std::unexpected(begun.error());
        }
        const auto other = server_of(second);
        const auto after = server_of(first);
        if (const auto ended = second.unprepared("ROLLBACK"); !ended)
            return std::unexpected(ended.error());
        if (!other) return std::unexpected(other.error());
        if (!after) return std::unexpected(after.error());
        if (*other == *before || *after != *before) return refuse_mode("the transaction");
    }
    return {};
}

}  // namespace flashsale::postgres
