#pragma once

// PostgreSQL over libpq: `session`, blocking with a deadline, for the recorder's thread and the
// command line; `pool`, asynchronous and pipelined, for the HTTP workers. Both prepare a statement
// on its first use on a connection and speak the binary format.
//
// What either commits is on the server's disk. Each connection, before anything is sent on it, sets
// synchronous_commit to `on` unless it is that or `remote_apply` already, and is given up if the
// server runs with fsync or full_page_writes off. The setting is the session's: behind a pooler,
// which must hand out server connections for whole sessions (leases and prepared statements want
// that too).

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
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

namespace flashsale::postgres {

struct options {
    std::string url;                                   ///< `postgresql://…`, as libpq reads it
    std::chrono::milliseconds connect_timeout{5'000};  ///< for each host, and each of its addresses
    std::chrono::milliseconds statement_timeout{5'000};  ///< the server's, and ours a second longer
    std::chrono::milliseconds lock_timeout{2'000};
    std::string application_name = "flashsale";
    /// Rows are found by indexes alone. For statements that find the rows of a long array by their
    /// keys: the server would rather read whole tables, while it believes that they are small.
    bool by_index = false;
};

/// Whether options::url can be used; else what is wrong with it and what is expected, with nothing
/// of it repeated. Nothing is connected to and no name resolved.
std::expected<void, std::string> check_url(const std::string& url);

/// A URL fit for logs: put together from what was understood of it, without any password.
std::string shown(const std::string& url);

struct error {
    enum class kind {
        not_durable,  ///< the server would lose what it commits, and is not used; nothing was sent
        unavailable,  ///< no connection, or it was lost before COMMIT was sent: nothing happened
        overloaded,   ///< the pool's queue is full or too slow; nothing was sent
        outcome_unknown,  ///< sent, and the connection died or the deadline passed: do it again
        transient,        ///< rolled back, may work later (40, 53, 55, 57, 58, 25006, 25P03, 26000)
        unique_violation,  ///< 23505, rolled back
        data,              ///< 22xxx, 23xxx, rolled back: the same input will fail again
        other,             ///< a bug or a schema that is not ours
    };

    kind what = kind::other;
    std::string sqlstate;    ///< five characters, or empty
    std::string constraint;  ///< the violated constraint's name, or empty
    std::string message;
};

/// A statement with a fixed name: prepared once per connection. Both must be literals.
struct statement {
    const char* name;
    const char* sql;
};

/// Parameters in the binary format, in order: $1, $2, …
class parameters {
public:
    parameters& integer(std::int64_t value);  // bigint
    parameters& integer(std::optional<std::int64_t> value);
    parameters& text(std::string_view value);
    parameters& text(const std::string& value) { return text(std::string_view(value)); }
    parameters& text(const char* value) { return text(std::string_view(value)); }
    parameters& text(const std::optional<std::string>& value);
    parameters& uuid(const flashsale::uuid& value);
    parameters& time(timestamp value);  // timestamptz
    parameters& time(std::optional<timestamp> value);
    parameters& boolean(bool value);
    parameters& integers(std::span<const std::int64_t> values);   // bigint[]
    parameters& texts(std::span<const std::string_view> values);  // text[]
    parameters& texts(std::span<const std::string> values);
    parameters& uuids(std::span<const flashsale::uuid> values);  // uuid[]
    parameters& times(std::span<const timestamp> values);        // timestamptz[]

    struct parameter {
        std::uint32_t type;  // the type's OID
        bool null;
        std::string bytes;
    };
    std::span<const parameter> all() const { return values_; }

private:
    std::vector<parameter> values_;
};

/// Rows of a finished statement, in the binary format. Column indexes from 0; reading a column as
/// another type than it has is a bug and ends the process.
class rows {
public:
    rows();
    rows(rows&&) noexcept;
    rows& operator=(rows&&) noexcept;
    ~rows();

    std::size_t size() const;
    bool empty() const { return size() == 0; }
    std::size_t affected() const;  ///< rows touched by INSERT, UPDATE or DELETE

    bool is_null(std::size_t row, std::size_t column) const;
    std::int64_t integer(std::size_t row, std::size_t column) const;   // smallint, integer, bigint
    std::string_view text(std::size_t row, std::size_t column) const;  // text, varchar, name
    flashsale::uuid uuid(std::size_t row, std::size_t column) const;
    timestamp time(std::size_t row, std::size_t column) const;  // timestamptz
    bool boolean(std::size_t row, std::size_t column) const;
    std::optional<std::int64_t> optional_integer(std::size_t row, std::size_t column) const;
    std::optional<timestamp> optional_time(std::size_t row, std::size_t column) const;

    struct storage;
    explicit rows(std::unique_ptr<storage> owned);

private:
    std::unique_ptr<storage> storage_;
};

using result = std::expected<rows, error>;

/// One blocking connection, used by one thread at a time. Every call returns within its deadline
/// (connect_timeout for each host if it must connect, then statement_timeout + 1 s; the resolving
/// of a host *name* is the system's and can take longer); a connection that failed is rebuilt by
/// the next call.
class session {
public:
    explicit session(options settings);
    ~session();
    session(session&&) noexcept;
    session& operator=(session&&) noexcept;

    /// Connects now if not connected.
    std::expected<void, error> connect();
    /// How often it has connected. It grew: in between the server may have become another.
    std::uint64_t connections() const;

    result execute(const statement& what, const parameters& with = {});
    /// Unprepared, one statement, no parameters: DDL, SET. A transaction begun here is rolled back.
    result execute(std::string_view sql);
    /// Several statements in one simple query: a migration file.
    std::expected<void, error> script(std::string_view sql);

    /// BEGIN, `body`, COMMIT; ROLLBACK if it returns an error, throws, or hides that a statement
    /// failed. An error of COMMIT itself whose reply never came is outcome_unknown: the caller runs
    /// the same transaction again. Whatever is lost earlier is `unavailable`, and the body's
    /// further statements fail with it. Not to be nested.
    std::expected<void, error> transaction(
        const std::function<std::expected<void, error>(session&)>& body);

    /// Reads a large result in pieces: `each` is called with up to `rows_per_piece` rows until
    /// none is left. Inside one repeatable-read, read-only transaction. The server ends it if
    /// `each` takes longer than statement_timeout + 10 s.
    std::expected<void, error> stream(std::string_view sql, std::size_t rows_per_piece,
                                      const std::function<void(const rows&)>& each);

private:
    struct state;
    std::unique_ptr<state> state_;
};

struct pool_limits {
    std::size_t connections = 2;
    std::size_t pipelined_statements_max = 64;   ///< in flight per connection
    std::size_t waiting_statements_max = 4'096;  ///< beyond: error::overloaded
};

/// Asynchronous, on one io_context's thread. Each statement is a transaction of its own; statements
/// are pipelined on the least busy connection, so two of them may run in any order.
///
/// A lost connection is made again at once, then at growing intervals up to 2 s. While none is
/// ready statements fail as `unavailable` without waiting, except during the very first attempt,
/// for which they wait. Give a numeric host: a name is resolved on this thread.
class pool {
public:
    pool(asio::io_context& io, options settings, pool_limits bounds);
    ~pool();
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    void start();               ///< once
    void stop();                ///< what was sent ends as outcome_unknown, the rest as unavailable
    bool ready() const;         ///< at least one connection
    std::string fault() const;  ///< why not, for people

    /// Waits at most statement_timeout + 1 s, its time in the queue included: `overloaded` if it
    /// was never sent, else outcome_unknown. `done` is never called from inside.
    void execute(const statement& what, parameters with, callback<result> done);
    awaitable<result> execute(const statement& what, parameters with = {});

private:
    struct state;
    std::shared_ptr<state> state_;
};

// --- migrations -------------------------------------------------------------------------------

struct migration_code : flashsale::migration_code {
    using function = std::expected<void, error> (*)(session& inside);
    constexpr explicit migration_code(function what) : run(what) {}
    function run;
};

/// Applies what is missing under an advisory lock, each migration in a transaction of its own, and
/// notes its checksum in table schema_migrations. Creates the database if it does not exist and the
/// role may. Throws std::runtime_error with one line for people.
/// Returns the names of the migrations it applied.
std::vector<std::string> migrate(const options& target, std::span<const migration> all);

/// Compares the database with what this binary knows; changes nothing.
schema_report check_schema(const options& target, std::span<const migration> all);

}  // namespace flashsale::postgres
