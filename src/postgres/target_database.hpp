#pragma once

#include <flashsale/postgres.hpp>

namespace flashsale::postgres {

/// Creates the database that the URL names unless it is there or another process makes it first.
/// Throws std::runtime_error with one line for people.
void create_database_if_missing(const options& target);

/// True if the server answers and has no such database.
bool database_is_missing(const options& target);

/// `database flashsale_stock`, for messages.
std::string describe_target(const options& target);

}  // namespace flashsale::postgres
