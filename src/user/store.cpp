#include <flashsale/base/names.hpp>
#include <flashsale/sql.hpp>
#include <flashsale/user/store.hpp>

namespace flashsale::user {

namespace {

using sql::access;

// Each unique constraint may stand in the way; which one did is read afterwards.
constexpr sql::statement insert_user{
    access::write,
    "insert_user",
    "INSERT INTO users (username, compared_name, balance, idempotency_key)"
    " VALUES ($1, $2, $3, $4)"
    " ON CONFLICT DO NOTHING RETURNING id, username, balance, created_at",
    {"INSERT INTO users (username, compared_name, balance, idempotency_key, created_at)"
     " VALUES (?1, ?2, ?3, ?4, ?5)"
     " ON CONFLICT DO NOTHING RETURNING id, username, balance, created_at"}};
constexpr sql::statement find_user_by_key{
    access::read, "find_user_by_key",
    "SELECT id, username, balance, created_at FROM users WHERE idempotency_key = $1"};
constexpr sql::statement find_user{
    access::read, "find_user", "SELECT id, username, balance, created_at FROM users WHERE id = $1"};
constexpr sql::statement find_user_by_name{
    access::read, "find_user_by_name",
    "SELECT id, username, balance, created_at FROM users WHERE username = $1 OR compared_name = $2"
    " ORDER BY username = $1 DESC LIMIT 1"};
// The inner order makes each range a walk along the index, whatever PostgreSQL's planner thinks of
// its size. SQLite is asked range by range.
constexpr sql::statement find_users{
    access::read,
    "find_users",
    "SELECT found.id FROM unnest($1::bigint[], $2::bigint[]) AS wanted(first, last), LATERAL"
    " (SELECT id FROM users WHERE id BETWEEN wanted.first AND wanted.last ORDER BY id) AS found",
    {"SELECT id FROM users WHERE id BETWEEN ?1 AND ?2 ORDER BY id"}};

store_errc errc_of(const sql::error& error) {
    switch (error.what) {
        case sql::error::kind::overloaded:
            return store_errc::overloaded;
        case sql::error::kind::outcome_unknown:
            return store_errc::outcome_unknown;
        default:
            return store_errc::dependency_unavailable;
    }
}

/// A read changes nothing: whatever became of it, there is only no answer.
store_errc errc_of_read(const sql::error& error) {
    const store_errc code = errc_of(error);
    return code == store_errc::outcome_unknown ? store_errc::dependency_unavailable : code;
}

user user_of(const sql::rows& rows) {
    return {rows.integer(0, 0), std::string(rows.text(0, 1)), rows.integer(0, 2), rows.time(0, 3)};
}

class sql_store final : public store {
public:
    explicit sql_store(std::unique_ptr<sql::executor> database) : database_(std::move(database)) {}

    awaitable<std::expected<created, store_errc>> create(std::string username, std::int64_t balance,
                                                         std::string key) override {
        sql::parameters with;
        with.text(username).text(compared_form(username)).integer(balance).text(key).now();
        auto made = co_await database_->execute(insert_user, std::move(with));
        if (!made) co_return std::unexpected(errc_of(made.error()));
        if (!made->empty()) co_return created{user_of(*made), false};

        auto known =
            co_await database_->execute(find_user_by_key, std::move(sql::parameters().text(key)));
        if (!known) co_return std::unexpected(errc_of(known.error()));
        if (known->empty()) co_return std::unexpected(store_errc::username_taken);
        user first = user_of(*known);
        if (first.username != username || first.balance != balance) {
            co_return std::unexpected(store_errc::idempotency_key_reused);
        }
        co_return created{std::move(first), true};
    }

    awaitable<std::expected<std::optional<user>, store_errc>> find(std::int64_t id) override {
        co_return co_await find_one(find_user, std::move(sql::parameters().integer(id)));
    }

    awaitable<std::expected<std::optional<user>, store_errc>> find_by_name(
        std::string username) override {
        sql::parameters with;
        with.text(username).text(compared_form(username));
        co_return co_await find_one(find_user_by_name, std::move(with));
    }

    void find_existing(
        std::vector<id_range> where,
        callback<std::expected<std::vector<std::int64_t>, store_errc>> done) override {
        std::vector<std::int64_t> first;
        std::vector<std::int64_t> last;
        for (const id_range& each : where) {
            first.push_back(each.first);
            last.push_back(each.last);
        }
        database_->submit(find_users, std::move(sql::parameters().integers(first).integers(last)),
                          [done = std::move(done)](sql::result found) mutable {
                              if (!found) return done(std::unexpected(errc_of_read(found.error())));
                              std::vector<std::int64_t> existing;
                              existing.reserve(found->size());
                              for (std::size_t row = 0; row < found->size(); ++row)
                                  existing.push_back(found->integer(row, 0));
                              done(std::move(existing));
                          });
    }

private:
    awaitable<std::expected<std::optional<user>, store_errc>> find_one(const sql::statement& what,
                                                                       sql::parameters with) {
        auto found = co_await database_->execute(what, std::move(with));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        if (found->empty()) co_return std::optional<user>{};
        co_return std::optional(user_of(*found));
    }

    const std::unique_ptr<sql::executor> database_;
};

}  // namespace

std::unique_ptr<store> make_postgres_store(postgres::pool& database) {
    return std::make_unique<sql_store>(sql::make_executor(database));
}

std::unique_ptr<store> make_sqlite_store(sqlite::queue& database, asio::io_context& io) {
    return std::make_unique<sql_store>(sql::make_executor(database, io));
}

}  // namespace flashsale::user
