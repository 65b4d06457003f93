#pragma once

// The log in one SQLite file, written and read by one process.

#include <chrono>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "flashsale/base/migration.hpp"
#include "flashsale/events/log.hpp"

namespace flashsale::events {

std::span<const migration> sqlite_migrations();

struct sqlite_log_options {
    std::filesystem::path file;
    std::size_t events_per_commit_max = 16'384;
    std::size_t row_bytes_max = 65'536;             ///< of a row with more than one event
    std::size_t events_per_batch_max = 8'192;       ///< of the reader; exceeded by less than a row
    std::chrono::milliseconds retry_interval{200};  ///< of a commit that failed
    /// Between two batches handed out, unless a full one has gathered: the recorder's commits and
    /// the log's share one disk, and the log's are waited for.
    std::chrono::milliseconds reading_interval{100};
};

struct sqlite_log_state;

/// Both ends of the file. An append never waits and, while the log runs, is never turned down: what
/// may wait is bounded by the gate's outbox, because a granted event that is kept nowhere would be
/// a leak. Its producers' append() is false only after stop().
class sqlite_log {
public:
    /// Opens the file, which has the schema of sqlite_migrations(). Throws std::runtime_error with
    /// one line for people.
    explicit sqlite_log(const sqlite_log_options& options);
    ~sqlite_log();

    log& writer() { return *log_; }
    reader& recorder_end() { return *reader_; }
    /// Nothing is left to record. Any thread.
    bool drained() const;
    /// Commits that are not recorded. Any thread.
    std::uint64_t unrecorded() const;
    /// Removes what was acknowledged since the writer stopped. A row that stays is recorded once
    /// more by the next start, which changes nothing. Blocking.
    void forget_recorded();

private:
    std::shared_ptr<sqlite_log_state> state_;
    std::unique_ptr<log> log_;
    std::unique_ptr<reader> reader_;
};

/// What is not recorded, as of one instant, whether a process has the log open or not. Blocking; an
/// error's text is for people.
std::expected<void, std::string> for_each_unrecorded(const sqlite_log_options& of,
                                                     const std::function<void(entry)>& each);

}  // namespace flashsale::events
