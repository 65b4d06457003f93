// Transactions of a session. Between BEGIN and COMMIT nothing can have happened, whatever is lost:
// the server rolls back what was not committed. So a loss there is `unavailable`, the session stays
// disconnected until the body returns (a reconnect would run the rest outside the transaction), and
// the body's success cannot hide an error that broke the transaction. Only COMMIT, once sent, can
// leave the outcome unknown.

#include <cassert>
#include <flashsale/postgres.hpp>
#include <string>

#include "session_state.hpp"

namespace flashsale::postgres {

std::expected<void, error> session::transaction(
    const std::function<std::expected<void, error>(session&)>& body) {
    return state_->transaction(*this, "BEGIN", body);
}

std::expected<void, error> session::state::transaction(
    session& self, std::string_view begin,
    const std::function<std::expected<void, error>(session&)>& body) {
    assert(!in_transaction);
    if (auto opened = connection.open(); !opened) return opened;

    in_transaction = true;
    first_error.reset();
    // Ends the transaction on every way out, the body's exception included: the server rolls back
    // with the connection.
    const auto end = [](state* s) {
        s->in_transaction = false;
        if (s->connection.in_transaction()) s->connection.close();
    };
    const std::unique_ptr<state, decltype(end)> ending(this, end);

    if (auto begun = checked(connection.unprepared(begin)); !begun) {
        return std::unexpected(std::move(begun.error()));
    }
    auto outcome = body(self);
    if (connection.is_open() && (!outcome || connection.in_failed_transaction())) {
        // What it answers changes nothing: if it fails, the connection goes, and all with it.
        (void)connection.unprepared("ROLLBACK");
    } else if (connection.is_open()) {
        auto committed = connection.commit();
        if (!committed) return std::unexpected(std::move(committed.error()));
        return {};
    }
    if (!outcome) return outcome;
    assert(first_error);
    return std::unexpected(*first_error);
}

std::expected<void, error> session::stream(std::string_view sql, std::size_t rows_per_piece,
                                           const std::function<void(const rows&)>& each) {
    assert(rows_per_piece > 0);
    bool all_read = false;
    auto outcome = state_->transaction(
        *this, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        [&](session& s) -> std::expected<void, error> {
            std::string declare = "DECLARE piece NO SCROLL CURSOR FOR ";
            declare += sql;
            if (auto opened = s.execute(declare); !opened) {
                return std::unexpected(std::move(opened.error()));
            }
            const auto fetch = "FETCH FORWARD " + std::to_string(rows_per_piece) + " FROM piece";
            while (!all_read) {
                auto piece = s.execute(fetch);
                if (!piece) return std::unexpected(std::move(piece.error()));
                all_read = piece->size() < rows_per_piece;
                if (!piece->empty()) each(*piece);
            }
            return {};
        });
    // The snapshot was read to its end: how the transaction ended changes nothing.
    if (all_read) return {};
    return outcome;
}

}  // namespace flashsale::postgres
