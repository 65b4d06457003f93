#include "error.hpp"

#include <spdlog/spdlog.h>

#include <cstdlib>

namespace flashsale::sqlite {

namespace {

error::kind classify(int code) {
    switch (code) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
            return error::kind::unique_violation;
        default:
            break;
    }
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return error::kind::busy;
        case SQLITE_FULL:
            return error::kind::full;
        case SQLITE_IOERR:
        case SQLITE_READONLY:
            return error::kind::io;
        case SQLITE_CONSTRAINT:
        case SQLITE_TOOBIG:
        case SQLITE_MISMATCH:
            return error::kind::data;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return error::kind::corrupt;
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
            return error::kind::unavailable;
        default:
            return error::kind::other;
    }
}

bool is_sync_failure(int code) {
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

}  // namespace

error error_of(int code, sqlite3* connection) {
    const char* file = connection == nullptr ? nullptr : sqlite3_db_filename(connection, "main");
    if (is_sync_failure(code)) {
        spdlog::critical(
            "{}: the disk did not take what was written; this process ends, because "
            "what is on it cannot be known",
            file == nullptr ? "a database" : file);
        spdlog::default_logger()->flush();
        std::abort();
    }
    std::string message = sqlite3_errstr(code);
    if (connection != nullptr && sqlite3_extended_errcode(connection) == code) {
        message = sqlite3_errmsg(connection);
    }
    return {classify(code), code, std::move(message)};
}

error make_error(error::kind what, std::string message) {
    return {what, 0, std::move(message)};
}

bool is_of_the_file(const error& what) {
    return what.what != error::kind::unique_violation && what.what != error::kind::data;
}

}  // namespace flashsale::sqlite
