#pragma once

#include <optional>

#include "session_connection.hpp"

namespace flashsale::postgres {

struct session::state {
    explicit state(options settings) : connection(std::move(settings)) {}

    std::expected<void, error> ready();
    result checked(result outcome);
    std::expected<void, error> transaction(
        session& self, std::string_view begin,
        const std::function<std::expected<void, error>(session&)>& body);

    session_connection connection;
    bool in_transaction = false;
    /// Of the transaction under way: the one that broke it, for it explains all that follow.
    std::optional<error> first_error;
};

}  // namespace flashsale::postgres
