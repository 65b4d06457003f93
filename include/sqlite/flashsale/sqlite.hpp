#pragma once

// SQLite: one file for each module, in WAL, synced to the disk at every commit. `database` is one
// blocking connection, for a thread that may wait; `queue` is a connection with a thread of its
// own, for the HTTP workers, which may not.
//
// A commit that returned is on the disk. If the kernel reports that syncing failed, it is unknown
// what is there, and asking again would be answered with a success that is none (the kernel forgets
// the pages that it could not write): the process ends, and the next start reads what is on the
// disk.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/migration.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"

namespace flashsale::sqlite {

struct options {
    std::filesystem::path file;
    std::chrono::milliseconds busy_timeout{5'000};  ///< for another connection's transaction
    std::int64_t cache_kilobytes = 16'384;          ///< of each connection
    bool create = true;                             ///< false: a file that is missing is an error
};

struct error {
    enum class kind {
        unavailable,       ///< the file cannot be opened, or the queue is stopped: nothing happened
        overloaded,        ///< the queue is full: nothing happened
        busy,              ///< another connection kept its lock: rolled back, may work later
        full,              ///< no room on the disk: rolled back, works when there is
        io,                ///< the disk cannot be read or written: rolled back
        unique_violation,  ///< the statement changed nothing; the transaction is still there
        data,              ///< likewise, by CHECK, NOT NULL or type: the same input will fail again
        corrupt,           ///< not a database, or damaged
        other,             ///< a bug, or a schema that is not ours
    };

    kind what = kind::other;
    int code = 0;  ///< SQLite's extended result code
    std::string message;
};

/// SQL that is a literal, of one statement: each connection prepares it once and knows it by its
/// address.
struct statement {
    consteval explicit statement(const char* literal) : sql(literal) {}
    /// For a type of statements that sees to it by itself that their texts are literals.
    static constexpr statement of_literal(const char* literal) { return {literal, 0}; }
    const char* sql;

private:
    constexpr statement(const char* literal, int) : sql(literal) {}
};

class database;

/// One run of a prepared statement: bind ?1, ?2, … in order, then step. Its end frees the statement
/// for the next run; until then the same statement must not be prepared again.
class query {
public:
    query(query&&) noexcept;
    query& operator=(query&&) = delete;
    ~query();

    query& integer(std::int64_t value);
    query& integer(std::optional<std::int64_t> value);
    query& text(std::string_view value);
    query& text(const std::string& value) { return text(std::string_view(value)); }
    query& text(const char* value) { return text(std::string_view(value)); }
    query& text(const std::optional<std::string>& value);
    query& blob(std::string_view bytes);
    query& uuid(const flashsale::uuid& value);  // blob of 16 bytes
    query& time(timestamp value);               // integer, microseconds since 1970
    query& time(std::optional<timestamp> value);

    /// True: there is a row to read. False: there is none any more.
    std::expected<bool, error> step();
    /// Steps to the end; how many rows it inserted, updated or deleted.
    std::expected<std::int64_t, error> run();

    enum class type { null, integer, text, blob };
    int columns() const;
    type type_at(int column) const;

    // Columns of the row, indexes from 0; texts and blobs are good until the next step. Reading a
    // column as another type than it has is a bug and ends the process.
    bool null_at(int column) const;
    std::int64_t integer_at(int column) const;
    std::string_view text_at(int column) const;
    std::string_view blob_at(int column) const;
    flashsale::uuid uuid_at(int column) const;
    timestamp time_at(int column) const;
    std::optional<std::int64_t> optional_integer_at(int column) const;
    std::optional<timestamp> optional_time_at(int column) const;

private:
    friend class database;
    struct prepared;
    explicit query(prepared* what) : prepared_(what) {}
    explicit query(error fault) : fault_(std::move(fault)) {}
    void note(int code);

    prepared* prepared_ = nullptr;
    int bound_ = 0;
    std::optional<error> fault_;  // of preparing or binding; step() tells
};

enum class access {
    read,   ///< all as of one instant; never waits
    write,  ///< one at a time, of all connections; waits up to busy_timeout
};

/// One connection, used by one thread at a time. Blocking.
class database {
public:
    static std::expected<database, error> open(const options& settings);
    database(database&&) noexcept;
    database& operator=(database&&) noexcept;
    ~database();

    query prepare(const statement& what);
    /// Several statements: a migration.
    std::expected<void, error> script(const std::string& sql);

    /// Begins, runs `body`, and commits, if it returned no error; then what it did is on the disk.
    /// After any error nothing of it happened. Not to be nested.
    std::expected<void, error> transaction(
        access how, const std::function<std::expected<void, error>(database&)>& body);
    /// A part of a transaction that can fail alone: after an error nothing of it happened, and the
    /// transaction goes on, unless the error ended it (full, io).
    std::expected<void, error> attempt(
        const std::function<std::expected<void, error>(database&)>& body);
    bool in_transaction() const;

    std::int64_t last_inserted_id() const;
    const std::filesystem::path& file() const;

private:
    friend class query;
    struct state;
    explicit database(std::unique_ptr<state> opened);
    std::unique_ptr<state> state_;
};

struct queue_limits {
    std::size_t waiting_jobs_max = 4'096;  ///< beyond: error::overloaded
    std::size_t jobs_per_transaction_max = 256;
};

/// A connection with a thread of its own, for callers that must not wait. Jobs that have gathered
/// while it was busy share one transaction, and so one sync; each is a part that fails alone.
class queue {
public:
    queue(options settings, queue_limits bounds);
    ~queue();
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;

    /// Opens the file and starts the thread. Throws std::runtime_error with one line for people.
    void start();
    /// Runs what waits, then ends the thread; what comes later is answered unavailable.
    void stop();

    /// Whether the last transaction was committed, and why not, for people. Any thread.
    std::expected<void, std::string> check() const;

    using job = std::move_only_function<std::expected<void, error>(database&)>;
    /// Any thread. `done` is called on `reply_on`'s thread once the job's transaction is committed,
    /// or has failed.
    void submit(access how, job work, asio::io_context& reply_on,
                callback<std::expected<void, error>> done);

    /// The same for a coroutine on `here`, whose job returns a value.
    template <class T>
    awaitable<std::expected<T, error>> execute(
        access how, asio::io_context& here,
        std::move_only_function<std::expected<T, error>(database&)> work);

private:
    struct state;
    std::shared_ptr<state> state_;
};

/// A folder is one process's: two would each sell the same stock from a gate of their own. Held for
/// as long as this lives; it ends with the process, however that ends.
class folder_lock {
public:
    /// Creates the folder if it is missing. Throws std::runtime_error with one line for people:
    /// which process has it.
    explicit folder_lock(const std::filesystem::path& folder);
    ~folder_lock();
    folder_lock(const folder_lock&) = delete;
    folder_lock& operator=(const folder_lock&) = delete;

private:
    int descriptor_ = -1;
};

// --- migrations -------------------------------------------------------------------------------

struct migration_code : flashsale::migration_code {
    using function = std::expected<void, error> (*)(database& inside);
    constexpr explicit migration_code(function what) : run(what) {}
    function run;
};

/// Applies what is missing, each migration in a transaction of its own, and notes its checksum in
/// table schema_migrations. Creates the file if it does not exist. Throws std::runtime_error with
/// one line for people. Returns the names of the migrations it applied.
std::vector<std::string> migrate(const options& target, std::span<const migration> all);

/// Compares the database with what this binary knows; changes nothing.
schema_report check_schema(const options& target, std::span<const migration> all);

// --- how -------------------------------------------------------------------------------------

template <class T>
awaitable<std::expected<T, error>> queue::execute(
    access how, asio::io_context& here,
    std::move_only_function<std::expected<T, error>(database&)> work) {
    // The value is the job's until the transaction is committed: the coroutine may be gone by then.
    auto value = std::make_shared<std::optional<T>>();
    auto run = [value, work = std::move(work)](database& in) mutable -> std::expected<void, error> {
        auto made = work(in);
        if (!made) return std::unexpected(std::move(made.error()));
        value->emplace(std::move(*made));
        return {};
    };
    auto done = co_await await_callback<std::expected<void, error>>(
        [&](auto reply) { submit(how, std::move(run), here, std::move(reply)); });
    if (!done) co_return std::unexpected(std::move(done.error()));
    co_return std::move(**value);
}

}  // namespace flashsale::sqlite
