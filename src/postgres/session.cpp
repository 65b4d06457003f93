#include <cassert>
#include <flashsale/postgres.hpp>

#include "session_state.hpp"

namespace flashsale::postgres {

session::session(options settings) : state_(std::make_unique<state>(std::move(settings))) {}
session::~session() = default;
session::session(session&&) noexcept = default;
session& session::operator=(session&&) noexcept = default;

std::expected<void, error> session::connect() {
    return state_->ready();
}

std::uint64_t session::connections() const {
    return state_->connection.connections();
}

result session::execute(const statement& what, const parameters& with) {
    if (auto ready = state_->ready(); !ready) return std::unexpected(std::move(ready.error()));
    return state_->checked(state_->connection.prepared(what, with));
}

result session::execute(std::string_view sql) {
    if (auto ready = state_->ready(); !ready) return std::unexpected(std::move(ready.error()));
    return state_->checked(state_->connection.unprepared(sql));
}

std::expected<void, error> session::script(std::string_view sql) {
    if (auto ready = state_->ready(); !ready) return ready;
    auto outcome = state_->checked(state_->connection.script(sql));
    if (!outcome) return std::unexpected(std::move(outcome.error()));
    return {};
}

std::expected<void, error> session::state::ready() {
    if (!in_transaction) return connection.open();
    if (connection.is_open()) return {};
    assert(first_error);
    return std::unexpected(*first_error);
}

result session::state::checked(result outcome) {
    if (in_transaction) {
        if (outcome) return outcome;
        if (outcome.error().what == error::kind::outcome_unknown) {
            // COMMIT was not sent, so the server rolls back when it notices.
            outcome.error().what = error::kind::unavailable;
        }
        if (!first_error) first_error = outcome.error();
        if (!connection.is_open()) first_error = outcome.error();
        return outcome;
    }
    if (!connection.in_transaction()) return outcome;
    // A reconnect in the middle would commit the rest statement by statement.
    connection.close();
    return std::unexpected(
        make_error(error::kind::other, "a transaction outside session::transaction: rolled back"));
}

}  // namespace flashsale::postgres
