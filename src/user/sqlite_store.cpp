#include <flashsale/base/names.hpp>
#include <flashsale/sqlite.hpp>
#include <flashsale/user/module.hpp>

#include "name_filling.hpp"

namespace flashsale::embedded {
extern const std::string_view user_sqlite_0001;
extern const std::string_view user_sqlite_0002;
}  // namespace flashsale::embedded

namespace flashsale::user {

namespace {

using sqlite::access;

// Each unique constraint may stand in the way; which one did is read afterwards.
constexpr sqlite::statement insert_user{
    "INSERT INTO users (username, compared_name, balance, idempotency_key, created_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5)"
    " ON CONFLICT DO NOTHING RETURNING id, username, balance, created_at"};
constexpr sqlite::statement find_user_by_key{
    "SELECT id, username, balance, created_at FROM users WHERE idempotency_key = ?1"};
constexpr sqlite::statement find_user{
    "SELECT id, username, balance, created_at FROM users WHERE id = ?1"};
constexpr sqlite::statement find_user_by_name{
    "SELECT id, username, balance, created_at FROM users WHERE username = ?1 OR compared_name = ?2"
    " ORDER BY username = ?1 DESC LIMIT 1"};
constexpr sqlite::statement find_users{
    "SELECT id FROM users WHERE id BETWEEN ?1 AND ?2 ORDER BY id"};

store_errc errc_of(const sqlite::error& error) {
    return error.what == sqlite::error::kind::overloaded ? store_errc::overloaded
                                                         : store_errc::dependency_unavailable;
}

template <class T>
using result = std::expected<T, sqlite::error>;

/// The first row, if there is one.
result<std::optional<user>> read_user(sqlite::query row) {
    const auto found = row.step();
    if (!found) return std::unexpected(found.error());
    if (!*found) return std::optional<user>{};
    return user{row.integer_at(0), std::string(row.text_at(1)), row.integer_at(2), row.time_at(3)};
}

using creation = std::expected<store::created, store_errc>;

result<creation> create_in(sqlite::database& in, const std::string& username, std::int64_t balance,
                           const std::string& key) {
    auto insert = in.prepare(insert_user);
    insert.text(username).text(compared_form(username)).integer(balance).text(key);
    insert.time(wall_clock_now());
    auto made = read_user(std::move(insert));
    if (!made) return std::unexpected(made.error());
    if (*made) return store::created{std::move(**made), false};

    auto find = in.prepare(find_user_by_key);
    find.text(key);
    auto first = read_user(std::move(find));
    if (!first) return std::unexpected(first.error());
    if (!*first) return creation(std::unexpected(store_errc::username_taken));
    if ((*first)->username != username || (*first)->balance != balance) {
        return creation(std::unexpected(store_errc::idempotency_key_reused));
    }
    return store::created{std::move(**first), true};
}

class sqlite_store final : public store {
public:
    sqlite_store(sqlite::queue& database, asio::io_context& io) : database_(database), io_(io) {}

    awaitable<creation> create(std::string username, std::int64_t balance,
                               std::string key) override {
        auto made = co_await database_.execute<creation>(
            access::write, io_,
            [username = std::move(username), balance, key = std::move(key)](sqlite::database& in) {
                return create_in(in, username, balance, key);
            });
        if (!made) co_return std::unexpected(errc_of(made.error()));
        co_return std::move(*made);
    }

    awaitable<std::expected<std::optional<user>, store_errc>> find(std::int64_t id) override {
        co_return co_await find_one([id](sqlite::database& in) {
            auto row = in.prepare(find_user);
            row.integer(id);
            return read_user(std::move(row));
        });
    }

    awaitable<std::expected<std::optional<user>, store_errc>> find_by_name(
        std::string username) override {
        co_return co_await find_one([username = std::move(username)](sqlite::database& in) {
            auto row = in.prepare(find_user_by_name);
            row.text(username).text(compared_form(username));
            return read_user(std::move(row));
        });
    }

    void find_existing(
        std::vector<id_range> where,
        callback<std::expected<std::vector<std::int64_t>, store_errc>> done) override {
        auto existing = std::make_shared<std::vector<std::int64_t>>();
        auto work = [existing, where = std::move(where)](sqlite::database& in) -> result<void> {
            for (const id_range& each : where) {
                auto rows = in.prepare(find_users);
                rows.integer(each.first).integer(each.last);
                while (true) {
                    const auto more = rows.step();
                    if (!more) return std::unexpected(more.error());
                    if (!*more) break;
                    existing->push_back(rows.integer_at(0));
                }
            }
            return {};
        };
        database_.submit(access::read, std::move(work), io_,
                         [existing, done = std::move(done)](result<void> read) mutable {
                             if (!read) return done(std::unexpected(errc_of(read.error())));
                             done(std::move(*existing));
                         });
    }

private:
    using reading = std::move_only_function<result<std::optional<user>>(sqlite::database&)>;
    awaitable<std::expected<std::optional<user>, store_errc>> find_one(reading work) {
        auto found =
            co_await database_.execute<std::optional<user>>(access::read, io_, std::move(work));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        co_return std::move(*found);
    }

    sqlite::queue& database_;
    asio::io_context& io_;
};

}  // namespace

std::unique_ptr<store> make_sqlite_store(sqlite::queue& database, asio::io_context& io) {
    return std::make_unique<sqlite_store>(database, io);
}

std::span<const migration> sqlite_migrations() {
    static const sqlite::migration_code names(&fill_compared_names);
    static const migration all[] = {{1, "0001_users", embedded::user_sqlite_0001},
                                    {2, "0002_names", embedded::user_sqlite_0002, &names}};
    return all;
}

}  // namespace flashsale::user
