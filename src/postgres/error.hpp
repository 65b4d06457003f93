#pragma once

// Errors of the server and of libpq, as values.

#include <libpq-fe.h>

#include <flashsale/postgres.hpp>
#include <string_view>

#include "sqlstate.hpp"

namespace flashsale::postgres {

/// The server's own error, or libpq's (no SQLSTATE), in `result`.
error error_of(const PGresult* result, commit_phase phase);
bool is_fatal(const PGresult* result);

error make_error(error::kind what, std::string message);

/// libpq's last message on the connection, on one line.
std::string fault_of(const PGconn* connection);

/// Lines are joined by "; ", less those that libpq indents: advice to a reader of a terminal.
std::string on_one_line(std::string_view text);

}  // namespace flashsale::postgres
