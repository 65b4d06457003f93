// A connection and its transactions. A write takes the file's lock at BEGIN IMMEDIATE: a lock taken
// later, in the middle, could fail where waiting does not help. After an error SQLite may have
// ended the transaction by itself (the disk is full); whether it did is asked, never assumed.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include <cassert>
#include <thread>

#include "connection.hpp"
#include "error.hpp"
#include "metrics.hpp"

namespace flashsale::sqlite {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds busy_interval{1};
/// The log is copied into the file when it has this many pages of 4 KiB, by the commit
/// that reaches it.
constexpr int pages_before_checkpoint = 16'000;

constexpr const char* journal_size_limit = "PRAGMA journal_size_limit = 67108864";

}  // namespace

database::state::~state() {
    for (const auto& [sql, one] : statements) {
        assert(!one.in_use);
        sqlite3_finalize(one.handle);
    }
    sqlite3_close_v2(handle);
}

/// SQLite's own handler sleeps longer and longer, and starves beside a writer that commits all the
/// time.
int database::state::on_busy(void* self, int tries) {
    auto& here = *static_cast<state*>(self);
    if (tries == 0) here.busy_since = steady::now();
    if (steady::now() - here.busy_since >= here.settings.busy_timeout) return 0;
    std::this_thread::sleep_for(busy_interval);
    return 1;
}

/// In place of SQLite's automatic checkpoint, which swallows a failed sync. Any other failure is
/// harmless: all is in the log, and the next commit tries again.
int database::state::on_commit_to_wal(void*, sqlite3* handle, const char* schema, int pages) {
    if (pages < pages_before_checkpoint) return SQLITE_OK;
    const int code =
        sqlite3_wal_checkpoint_v2(handle, schema, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) {
        const error why = error_of(code, handle);
        spdlog::debug("checkpoint of {}: {}", sqlite3_db_filename(handle, schema), why.message);
    }
    return SQLITE_OK;
}

/// SQLite would let all users of the machine read it. What stands beside it takes the modes of the
/// file.
void create_private(const std::filesystem::path& file) {
    const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (made < 0) return;  // it is there, or SQLite meets the fault and names it
    (void)!::fchmod(made, S_IRUSR | S_IWUSR);
    ::close(made);
}

std::expected<void, error> database::state::open() {
    if (settings.create) create_private(settings.file);
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (settings.create ? SQLITE_OPEN_CREATE : 0);
    const int code = sqlite3_open_v2(settings.file.c_str(), &handle, flags, nullptr);
    if (code != SQLITE_OK) return std::unexpected(error_of(code, handle));
    sqlite3_busy_handler(handle, on_busy, this);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    return set_up();
}

std::expected<void, error> database::state::set_up() {
    if (auto done = enter_wal(); !done) return done;
    const std::string cache = "PRAGMA cache_size = -" + std::to_string(settings.cache_kilobytes);
    for (const char* sql : {"PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON",
                            "PRAGMA temp_store = MEMORY", journal_size_limit, cache.c_str()}) {
        if (auto done = run(sql); !done) return done;
    }
    sqlite3_wal_hook(handle, on_commit_to_wal, this);
    return {};
}

/// The first to come changes the file, alone; SQLite answers the others at once, without waiting.
std::expected<void, error> database::state::enter_wal() {
    const auto until = steady::now() + settings.busy_timeout;
    while (true) {
        std::string mode;
        const auto read_mode = [](void* into, int, char** values, char**) {
            *static_cast<std::string*>(into) = values[0];
            return 0;
        };
        const int code =
            sqlite3_exec(handle, "PRAGMA journal_mode = WAL", read_mode, &mode, nullptr);
        if (code == SQLITE_OK && mode == "wal") return {};
        if (code == SQLITE_OK) {
            return std::unexpected(make_error(error::kind::unavailable,
                                              "the file system has no shared memory for a log"));
        }
        error why = error_of(code, handle);
        if (why.what != error::kind::busy || steady::now() >= until) {
            return std::unexpected(std::move(why));
        }
        std::this_thread::sleep_for(busy_interval);
    }
}

std::expected<void, error> database::state::run(const char* sql) {
    const int code = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return std::unexpected(error_of(code, handle));
    return {};
}

database::database(std::unique_ptr<state> opened) : state_(std::move(opened)) {}
database::database(database&&) noexcept = default;
database& database::operator=(database&&) noexcept = default;
database::~database() = default;

std::expected<database, error> database::open(const options& settings) {
    auto opened = std::make_unique<state>(settings);
    if (auto done = opened->open(); !done) return std::unexpected(std::move(done.error()));
    return database(std::move(opened));
}

query database::prepare(const statement& what) {
    auto& known = state_->statements[what.sql];
    if (known.handle == nullptr) {
        const int code = sqlite3_prepare_v3(state_->handle, what.sql, -1, SQLITE_PREPARE_PERSISTENT,
                                            &known.handle, nullptr);
        if (code != SQLITE_OK) return query(error_of(code, state_->handle));
    }
    assert(!known.in_use);
    known.in_use = true;
    return query(&known);
}

std::expected<void, error> database::script(const std::string& sql) {
    return state_->run(sql.c_str());
}

bool database::in_transaction() const {
    return sqlite3_get_autocommit(state_->handle) == 0;
}

std::expected<void, error> database::transaction(
    access how, const std::function<std::expected<void, error>(database&)>& body) {
    assert(!in_transaction());
    const auto failed = [](error why) -> std::expected<void, error> {
        if (is_of_the_file(why)) metrics::transactions_failed.add();
        return std::unexpected(std::move(why));
    };
    if (auto begun = state_->run(how == access::write ? "BEGIN IMMEDIATE" : "BEGIN"); !begun) {
        return failed(std::move(begun.error()));
    }
    // On every way out that is not the commit, the body's exception included.
    const auto roll_back = [](state* s) {
        if (sqlite3_get_autocommit(s->handle) == 0) (void)s->run("ROLLBACK");
    };
    const std::unique_ptr<state, decltype(roll_back)> ending(state_.get(), roll_back);

    auto outcome = body(*this);
    if (!outcome) return failed(std::move(outcome.error()));
    if (!in_transaction()) {
        return failed(make_error(error::kind::io, "SQLite ended the transaction by itself"));
    }
    if (auto committed = state_->run("COMMIT"); !committed) {
        return failed(std::move(committed.error()));
    }
    if (how == access::write) metrics::transactions.add();
    return {};
}

std::expected<void, error> database::attempt(
    const std::function<std::expected<void, error>(database&)>& body) {
    assert(in_transaction());
    if (auto set = state_->run("SAVEPOINT attempt"); !set) return set;
    auto outcome = body(*this);
    if (!in_transaction()) {
        if (!outcome) return outcome;
        return std::unexpected(
            make_error(error::kind::io, "SQLite ended the transaction by itself"));
    }
    if (!outcome) {
        if (auto undone = state_->run("ROLLBACK TO attempt"); !undone) return undone;
    }
    if (auto released = state_->run("RELEASE attempt"); !released) return released;
    return outcome;
}

std::int64_t database::last_inserted_id() const {
    return sqlite3_last_insert_rowid(state_->handle);
}

const std::filesystem::path& database::file() const {
    return state_->settings.file;
}

}  // namespace flashsale::sqlite
