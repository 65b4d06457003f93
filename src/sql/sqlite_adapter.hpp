#pragma once

// To and from SQLite's driver.

#include <flashsale/sqlite.hpp>

#include "sqlite_table.hpp"

namespace flashsale::sql {

/// Runs all texts of the statement, once for each place of its arrays. Inside a transaction: after
/// an error some of it may have happened.
std::expected<void, sqlite::error> run(sqlite::database& in, const statement& what,
                                       const parameters& with, sqlite_table& into);
sqlite::access access_of(const statement& what);
error of_sqlite(sqlite::error what);

}  // namespace flashsale::sql
