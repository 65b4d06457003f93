#include "data_folder.hpp"

#include <spdlog/spdlog.h>

#include <flashsale/order/module.hpp>
#include <flashsale/stock/module.hpp>
#include <flashsale/user/module.hpp>

#include "compose.hpp"
#include "probe.hpp"

namespace flashsale::app {

namespace {

struct module_file {
    const char* name;
    std::filesystem::path file;
    std::span<const migration> migrations;
};

std::vector<module_file> module_files(const data_folder& in) {
    return {
        {"user", in.user(), user::sqlite_migrations()},
        {"stock", in.stock(), stock::sqlite_migrations()},
        {"order", in.order(), order::sqlite_migrations()},
        {"log", in.log(), events::sqlite_migrations()},
    };
}

}  // namespace

sqlite::options file_options(const config& from, std::filesystem::path file) {
    sqlite::options out;
    out.file = std::move(file);
    out.busy_timeout = ms_of(from.sqlite.busy_timeout_ms);
    out.cache_kilobytes = from.sqlite.cache_kilobytes;
    out.create = false;
    return out;
}

sqlite::database open_file(const config& settings, const std::filesystem::path& file) {
    auto opened = sqlite::database::open(file_options(settings, file));
    if (!opened) throw unavailable_error(file.string() + ": " + opened.error().message);
    return std::move(*opened);
}

sqlite::queue_limits queue_limits(const config& from) {
    sqlite::queue_limits out;
    out.waiting_jobs_max = size_of(from.sqlite.waiting_jobs_max);
    return out;
}

events::sqlite_log_options log_options(const data_folder& in) {
    events::sqlite_log_options out;
    out.file = in.log();
    return out;
}

std::vector<std::string> migrate_files(const config& settings, const data_folder& folder) {
    // All are looked at before one is changed: a folder of a newer version stays as it is.
    for (const module_file& one : module_files(folder)) {
        const auto report = sqlite::check_schema(file_options(settings, one.file), one.migrations);
        switch (report.state) {
            case schema_state::current:
            case schema_state::behind:
                continue;
            case schema_state::ahead:
                throw unavailable_error(report.detail +
                                        ": it is of a newer version; run that version, or a newer "
                                        "one");
            case schema_state::changed:
            case schema_state::unreachable:
                throw unavailable_error(report.detail);
        }
    }
    std::vector<std::string> applied;
    for (const module_file& one : module_files(folder)) {
        sqlite::options target = file_options(settings, one.file);
        target.create = true;
        try {
            for (const std::string& name : sqlite::migrate(target, one.migrations))
                applied.push_back(std::string(one.name) + ": " + name);
        } catch (const std::runtime_error& error) {
            throw unavailable_error(error.what());
        }
    }
    return applied;
}

void say_if_open(const data_folder& folder) {
    namespace fs = std::filesystem;
    constexpr fs::perms others = fs::perms::group_all | fs::perms::others_all;
    const auto is_open = [&](const fs::path& what) {
        std::error_code unknown;
        const auto status = fs::status(what, unknown);
        return !unknown && fs::exists(status) && (status.permissions() & others) != fs::perms::none;
    };
    std::string open;
    const auto note = [&](const fs::path& what) {
        if (is_open(what)) open.append(open.empty() ? "" : " ").append(what.string());
    };
    note(folder.path);
    for (const module_file& one : module_files(folder)) {
        for (const char* suffix : {"", "-wal", "-shm"})
            note(fs::path(one.file.string() + suffix));
    }
    if (open.empty()) return;
    spdlog::warn("other users of this machine can get at the data: chmod go= {}", open);
}

void require_files(const config& settings, const data_folder& folder) {
    for (const module_file& one : module_files(folder)) {
        const auto report = sqlite::check_schema(file_options(settings, one.file), one.migrations);
        if (report.state == schema_state::current) continue;
        throw unavailable_error(report.detail +
                                (report.state == schema_state::behind
                                     ? ": run `flashsale serve`, or `flashsale migrate`, with the "
                                       "same configuration"
                                     : ""));
    }
}

}  // namespace flashsale::app
