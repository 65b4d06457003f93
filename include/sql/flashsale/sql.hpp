#pragma once

// SQL for what is not hot, so that a module has one store and not one for each database. A
// statement has a text that both databases understand, or one for each, side by side; what differs
// by rule alone is done here: placeholders, types, arrays, the clock.
//
// Hot paths (recording, the ledger, the gates) use the drivers themselves.

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"

namespace flashsale::postgres {
class pool;
class session;
}  // namespace flashsale::postgres
namespace flashsale::sqlite {
class queue;
class database;
}  // namespace flashsale::sqlite

namespace flashsale::sql {

struct error {
    enum class kind {
        unavailable,       ///< no connection, or stopped: nothing happened
        overloaded,        ///< too many statements wait: nothing happened
        outcome_unknown,   ///< PostgreSQL alone: sent, and no reply came; do it again
        transient,         ///< rolled back, may work later: a lock, a full disk, a serialization
        unique_violation,  ///< rolled back; which key it was, only PostgreSQL could tell
        data,              ///< rolled back, by CHECK, NOT NULL or range: it will fail again
        other,             ///< a bug, a schema that is not ours, or a damaged file
    };

    kind what = kind::other;
    std::string message;
};

enum class access { read, write };

/// Texts must be literals: PostgreSQL knows a prepared statement by its name, SQLite by the address
/// of its text. What is wrong with a text stops the compiler.
class statement {
public:
    struct sqlite_text {
        const char* sql = nullptr;
        int parameters = 0;  ///< the highest number in it
    };
    static constexpr std::size_t sqlite_texts_max = 6;

    /// A text for both, with `$1`, `$2`, …: SQLite numbers such names by their first use, so they
    /// are first used in this order.
    consteval statement(access how, const char* name, const char* both);
    /// SQLite's own text has `?1`, `?2`, … of the same parameters. It has no INSERT inside WITH:
    /// what PostgreSQL does in one statement may be several there, which run in one transaction, of
    /// which one has rows; changes() is what the one before did. None: SQLite has no such table,
    /// and the answer is no rows.
    consteval statement(access how, const char* name, const char* of_postgres,
                        std::initializer_list<const char*> of_sqlite);

    constexpr access how() const { return how_; }
    constexpr const char* name() const { return name_; }
    constexpr const char* of_postgres() const { return of_postgres_; }
    constexpr std::span<const sqlite_text> of_sqlite() const {
        return std::span(of_sqlite_).first(sqlite_texts_);
    }
    /// The same, but for PostgreSQL's text, which has to live as long: a guard is left out.
    constexpr statement with_postgres(const char* text) const {
        statement other = *this;
        other.of_postgres_ = text;
        return other;
    }

private:
    access how_;
    const char* name_;
    const char* of_postgres_;
    std::array<sqlite_text, sqlite_texts_max> of_sqlite_{};
    std::size_t sqlite_texts_ = 0;
};

/// In order: $1, $2, …
class parameters {
public:
    parameters& integer(std::int64_t value);
    parameters& integer(std::optional<std::int64_t> value);
    parameters& text(std::string_view value);
    parameters& text(const std::string& value) { return text(std::string_view(value)); }
    parameters& text(const char* value) { return text(std::string_view(value)); }
    parameters& text(const std::optional<std::string>& value);
    parameters& uuid(const flashsale::uuid& value);  // SQLite: a blob of 16 bytes
    parameters& time(timestamp value);               // SQLite: microseconds since 1970
    parameters& time(std::optional<timestamp> value);
    parameters& boolean(bool value);  // SQLite: 0 or 1
    /// Arrays go to PostgreSQL whole (`ANY`, `unnest`). SQLite's texts run once for each place,
    /// with the elements there, in one transaction: its rows are all theirs. All arrays of a
    /// statement have one length.
    parameters& integers(std::span<const std::int64_t> values);
    parameters& uuids(std::span<const flashsale::uuid> values);
    parameters& texts(std::span<const std::string> values);
    /// The last, and for SQLite alone: the time as the statement runs. PostgreSQL has now().
    parameters& now();

    struct clock {};
    using value =
        std::variant<std::optional<std::int64_t>, std::optional<std::string>, flashsale::uuid,
                     std::optional<timestamp>, bool, std::vector<std::int64_t>,
                     std::vector<flashsale::uuid>, std::vector<std::string>, clock>;
    std::span<const value> all() const { return values_; }

private:
    std::vector<value> values_;
};

class table;

/// Rows of a finished statement. Column indexes from 0; reading a column as another type than it
/// has is a bug and ends the process. Texts are good as long as this lives.
class rows {
public:
    rows() = default;
    explicit rows(std::shared_ptr<const table> of) : table_(std::move(of)) {}

    std::size_t size() const;
    bool empty() const { return size() == 0; }

    bool is_null(std::size_t row, std::size_t column) const;
    std::int64_t integer(std::size_t row, std::size_t column) const;
    std::string_view text(std::size_t row, std::size_t column) const;
    flashsale::uuid uuid(std::size_t row, std::size_t column) const;
    timestamp time(std::size_t row, std::size_t column) const;
    bool boolean(std::size_t row, std::size_t column) const;
    std::optional<std::int64_t> optional_integer(std::size_t row, std::size_t column) const;
    std::optional<timestamp> optional_time(std::size_t row, std::size_t column) const;

private:
    std::shared_ptr<const table> table_;
};

using result = std::expected<rows, error>;

/// For the HTTP workers: used by one thread, that of the io_context it was made for; answers there.
/// Each call is a transaction of its own, and one round trip. Two of them may run in any order.
class executor {
public:
    virtual ~executor() = default;

    /// `done` is never called from inside.
    virtual void submit(const statement& what, parameters with, callback<result> done) = 0;
    awaitable<result> execute(const statement& what, parameters with = {});
};

std::unique_ptr<executor> make_executor(postgres::pool& database);
std::unique_ptr<executor> make_executor(sqlite::queue& database, asio::io_context& io);

/// Blocking: for a thread that may wait, one at a time. Each call is a transaction of its own, or a
/// part of the one that the connection is in.
class session {
public:
    virtual ~session() = default;

    virtual result execute(const statement& what, const parameters& with = {}) = 0;
    /// A large result of a statement without parameters, all as of one instant: `each` is called
    /// with up to `rows_per_piece` rows until none is left, and does not use the connection.
    virtual std::expected<void, error> stream(const statement& what, std::size_t rows_per_piece,
                                              const std::function<void(const rows&)>& each) = 0;
};

std::unique_ptr<session> make_session(postgres::session& database);
std::unique_ptr<session> make_session(sqlite::database& database);

// --- how -------------------------------------------------------------------------------------

namespace detail {

// Not constexpr: a call from a consteval constructor is an error that shows this name.
inline void parameters_are_numbered_from_1() {}
inline void parameters_of_a_text_for_both_are_first_used_in_order() {}
inline void a_text_for_both_has_no_casts_of_postgres() {}
inline void texts_for_sqlite_number_their_parameters_with_question_marks() {}
inline void a_statement_has_too_many_texts() {}

/// The highest number of a parameter `mark`N in the text.
consteval int highest_parameter(std::string_view sql, char mark, bool in_order) {
    int highest = 0;
    for (std::size_t at = sql.find(mark); at < sql.size(); at = sql.find(mark, at)) {
        int number = 0;
        for (++at; at < sql.size() && sql[at] >= '0' && sql[at] <= '9'; ++at)
            number = number * 10 + (sql[at] - '0');
        if (number == 0) parameters_are_numbered_from_1();
        if (in_order && number > highest + 1)
            parameters_of_a_text_for_both_are_first_used_in_order();
        if (number > highest) highest = number;
    }
    return highest;
}

}  // namespace detail

consteval statement::statement(access how, const char* name, const char* both)
    : how_(how), name_(name), of_postgres_(both), sqlite_texts_(1) {
    const std::string_view sql = both;
    if (sql.find("::") < sql.size()) detail::a_text_for_both_has_no_casts_of_postgres();
    of_sqlite_[0] = {both, detail::highest_parameter(sql, '$', true)};
}

consteval statement::statement(access how, const char* name, const char* of_postgres,
                               std::initializer_list<const char*> of_sqlite)
    : how_(how), name_(name), of_postgres_(of_postgres) {
    for (const char* text : of_sqlite) {
        const std::string_view sql = text;
        if (sqlite_texts_ == sqlite_texts_max) detail::a_statement_has_too_many_texts();
        if (sql.find('$') < sql.size())
            detail::texts_for_sqlite_number_their_parameters_with_question_marks();
        of_sqlite_[sqlite_texts_++] = {text, detail::highest_parameter(sql, '?', false)};
    }
}

}  // namespace flashsale::sql
