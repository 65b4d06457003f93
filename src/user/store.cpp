#include <flashsale/base/names.hpp>
#include <flashsale/sql.hpp>
#include <flashsale/user/store.hpp>

#include "balance_book.hpp"
#include "sql_errc.hpp"

namespace flashsale::user {

namespace {

using sql::access;

// Each unique constraint may stand in the way; which one did is read afterwards. A user is made
// with the first entry of its balance.
constexpr sql::statement insert_user{
    access::write,
    "insert_user",
    "WITH made AS ("
    "  INSERT INTO users (username, compared_name, balance, idempotency_key)"
    "  VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
    "  RETURNING id, username, balance, created_at"
    "), first AS ("
    "  INSERT INTO balance_entries"
    "    (user_id, amount, kind, idempotency_key, balance_after, created_at)"
    "  SELECT id, balance, 'starting', '', balance, created_at FROM made WHERE balance <> 0"
    ") SELECT id, username, balance, created_at FROM made",
    {"INSERT INTO users (username, compared_name, balance, idempotency_key, created_at)"
     " VALUES (?1, ?2, ?3, ?4, ?5)"
     " ON CONFLICT DO NOTHING RETURNING id, username, balance, created_at",
     "INSERT INTO balance_entries"
     "   (user_id, amount, kind, idempotency_key, balance_after, created_at)"
     " SELECT last_insert_rowid(), ?3, 'starting', '', ?3, ?5 WHERE changes() = 1 AND ?3 <> 0"}};
// With the balance that it was made with.
constexpr sql::statement find_user_by_key{
    access::read, "find_user_by_key",
    "SELECT id, username, coalesce((SELECT amount FROM balance_entries e"
    "  WHERE e.user_id = users.id AND e.kind = 'starting' AND e.idempotency_key = ''), 0),"
    "  created_at FROM users WHERE idempotency_key = $1"};
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

user user_of(const sql::rows& rows) {
    return {rows.integer(0, 0), std::string(rows.text(0, 1)), rows.integer(0, 2), rows.time(0, 3)};
}

class sql_store final : public store {
public:
    explicit sql_store(std::unique_ptr<sql::executor> database)
        : database_(std::move(database)), balances_(*database_) {}

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

    awaitable<std::expected<deposited, store_errc>> deposit(std::int64_t user_id,
                                                            std::int64_t amount,
                                                            std::string key) override {
        return balances_.deposit(user_id, amount, std::move(key));
    }

    awaitable<std::expected<std::vector<balance_entry>, store_errc>> entries(
        std::int64_t user_id, std::optional<std::int64_t> before, std::int64_t limit) override {
        auto found = co_await balances_.entries(user_id, before, limit);
        if (!found || !found->empty()) co_return found;
        const auto who = co_await find(user_id);
        if (!who) co_return std::unexpected(who.error());
        if (!*who) co_return std::unexpected(store_errc::user_not_found);
        co_return found;
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
    balance_book balances_;
};

}  // namespace

std::unique_ptr<store> make_postgres_store(postgres::pool& database) {
    return std::make_unique<sql_store>(sql::make_executor(database));
}

std::unique_ptr<store> make_sqlite_store(sqlite::queue& database, asio::io_context& io) {
    return std::make_unique<sql_store>(sql::make_executor(database, io));
}

}  // namespace flashsale::user
