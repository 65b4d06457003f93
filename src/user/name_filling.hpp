#pragma once

// The second migration's code: the compared form of every name that is there, page by page in the
// order of ids, so that of several users of one form the first has it.

#include <flashsale/postgres.hpp>
#include <flashsale/sqlite.hpp>

namespace flashsale::user {

inline constexpr std::int64_t filled_rows_max = 2'000;  ///< read and written at a time

/// Each logs a line for every user whose form an earlier one has, up to a number of them, and how
/// many there are.
std::expected<void, postgres::error> fill_compared_names(postgres::session& in);
std::expected<void, sqlite::error> fill_compared_names(sqlite::database& in);

}  // namespace flashsale::user
