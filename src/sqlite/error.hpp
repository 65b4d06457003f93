#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>

#include <flashsale/sqlite.hpp>

namespace flashsale::sqlite {

/// What an extended result code means to the caller. Ends the process if a sync failed.
error error_of(int code, sqlite3* connection);

error make_error(error::kind what, std::string message);

/// Waiting, or a repair of the machine, may help; a statement's own fault does not end a
/// transaction.
bool is_of_the_file(const error& what);

}  // namespace flashsale::sqlite
