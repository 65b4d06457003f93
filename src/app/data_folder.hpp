#pragma once

// The files of an embedded deployment: one for each module, and the log.

#include <flashsale/events/sqlite.hpp>
#include <flashsale/sqlite.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "config.hpp"

namespace flashsale::app {

struct data_folder {
    explicit data_folder(std::filesystem::path at) : path(std::move(at)) {}

    std::filesystem::path user() const { return path / "user.db"; }
    std::filesystem::path stock() const { return path / "stock.db"; }
    std::filesystem::path order() const { return path / "order.db"; }
    std::filesystem::path log() const { return path / "log.db"; }

    std::filesystem::path path;
};

sqlite::options file_options(const config& from, std::filesystem::path file);
/// Throws unavailable_error if it is not there or cannot be opened.
sqlite::database open_file(const config& settings, const std::filesystem::path& file);
sqlite::queue_limits queue_limits(const config& from);
events::sqlite_log_options log_options(const data_folder& in);

/// Brings each file to this version, and creates those that are missing; `user: 0001_users` for
/// each migration applied. Throws unavailable_error if one cannot be, or is of a newer version.
std::vector<std::string> migrate_files(const config& settings, const data_folder& folder);

/// Logs a warning if other users of the machine can get at the folder or a file in it: they could
/// read all that is there, and a lock on one byte of a file stops all sales. What was made by this
/// version never is so.
void say_if_open(const data_folder& folder);

/// Throws unavailable_error if a file is missing or not of this version.
void require_files(const config& settings, const data_folder& folder);

}  // namespace flashsale::app
