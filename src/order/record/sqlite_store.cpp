#include <flashsale/order/module.hpp>
#include <flashsale/sqlite.hpp>

namespace flashsale::embedded {
extern const std::string_view order_sqlite_0001;
extern const std::string_view order_sqlite_0002;
extern const std::string_view order_sqlite_0003;
extern const std::string_view order_sqlite_0004;
extern const std::string_view order_sqlite_0005;
}  // namespace flashsale::embedded

namespace flashsale::order {

namespace {

using sqlite::access;

#define ORDER_COLUMNS \
    "id, user_id, product_id, quantity, unit_price, created_at, coalesce(currency, '')"

constexpr sqlite::statement find_order{"SELECT " ORDER_COLUMNS " FROM orders WHERE id = ?1"};
// The newest ids first, from the key's index alone; only their rows are read.
#define NEWEST(of_user)        \
    "SELECT " ORDER_COLUMNS    \
    " FROM orders WHERE id IN" \
    " (SELECT id FROM orders WHERE " of_user " ORDER BY id DESC LIMIT ?2) ORDER BY id DESC"
constexpr sqlite::statement list_orders{NEWEST("user_id = ?1")};
constexpr sqlite::statement list_older_orders{NEWEST("user_id = ?1 AND id < ?3")};
#undef NEWEST
constexpr sqlite::statement list_orders_by_key{
    "SELECT " ORDER_COLUMNS
    ", idempotency_key FROM orders"
    " WHERE user_id = ?1 AND (product_id, idempotency_key) > (?2, ?3)"
    " ORDER BY product_id, idempotency_key LIMIT ?4"};
constexpr sqlite::statement list_product_orders{
    "SELECT " ORDER_COLUMNS
    ", recorded FROM orders"
    " WHERE product_id = ?1 AND recorded > ?2 ORDER BY recorded LIMIT ?3"};

constexpr sqlite::statement find_parked_event{
    "SELECT event FROM parked WHERE event_id = ?1 AND holds_units"};

store_errc errc_of(const sqlite::error& error) {
    return error.what == sqlite::error::kind::overloaded ? store_errc::overloaded
                                                         : store_errc::dependency_unavailable;
}

order order_of(const sqlite::query& row) {
    return {row.uuid_at(0),
            row.integer_at(1),
            row.integer_at(2),
            row.integer_at(3),
            row.integer_at(4),
            row.time_at(5),
            currency_code::of_record(row.text_at(6))};
}

class sqlite_store final : public store {
public:
    sqlite_store(sqlite::queue& database, asio::io_context& io) : database_(database), io_(io) {}

    awaitable<std::expected<std::optional<order>, store_errc>> find(uuid id) override {
        using answer = std::optional<order>;
        auto found = co_await database_.execute<answer>(
            access::read, io_, [id](sqlite::database& in) -> std::expected<answer, sqlite::error> {
                auto row = in.prepare(find_order);
                const auto there = row.uuid(id).step();
                if (!there) return std::unexpected(there.error());
                return *there ? answer(order_of(row)) : answer();
            });
        if (!found) co_return std::unexpected(errc_of(found.error()));
        co_return std::move(*found);
    }

    awaitable<std::expected<std::optional<std::string>, store_errc>> find_parked(uuid id) override {
        using answer = std::optional<std::string>;
        auto found = co_await database_.execute<answer>(
            access::read, io_, [id](sqlite::database& in) -> std::expected<answer, sqlite::error> {
                auto row = in.prepare(find_parked_event);
                const auto there = row.uuid(id).step();
                if (!there) return std::unexpected(there.error());
                return *there ? answer(row.text_at(0)) : answer();
            });
        if (!found) co_return std::unexpected(errc_of(found.error()));
        co_return std::move(*found);
    }

    /// One process has the folder, and its gate is the newest.
    awaitable<std::expected<std::uint64_t, store_errc>> newest_gate(std::uint32_t) override {
        co_return 0;
    }

    awaitable<std::expected<std::vector<order>, store_errc>> list(std::int64_t user_id,
                                                                  std::optional<uuid> before,
                                                                  std::int64_t limit) override {
        using answer = std::vector<order>;
        auto found = co_await database_.execute<answer>(
            access::read, io_, [=](sqlite::database& in) -> std::expected<answer, sqlite::error> {
                auto row = in.prepare(before ? list_older_orders : list_orders);
                row.integer(user_id).integer(limit);
                if (before) row.uuid(*before);
                answer out;
                while (true) {
                    const auto more = row.step();
                    if (!more) return std::unexpected(more.error());
                    if (!*more) return out;
                    out.push_back(order_of(row));
                }
            });
        if (!found) co_return std::unexpected(errc_of(found.error()));
        co_return std::move(*found);
    }

    awaitable<std::expected<std::vector<user_order>, store_errc>> list_by_key(
        std::int64_t user_id, user_order_place after, std::int64_t limit) override {
        using answer = std::vector<user_order>;
        auto found = co_await database_.execute<answer>(
            access::read, io_,
            [user_id, after = std::move(after),
             limit](sqlite::database& in) -> std::expected<answer, sqlite::error> {
                auto row = in.prepare(list_orders_by_key);
                row.integer(user_id).integer(after.product_id).text(after.idempotency_key);
                row.integer(limit);
                answer out;
                while (true) {
                    const auto more = row.step();
                    if (!more) return std::unexpected(more.error());
                    if (!*more) return out;
                    order one = order_of(row);
                    out.push_back({one, {one.product_id, std::string(row.text_at(7))}});
                }
            });
        if (!found) co_return std::unexpected(errc_of(found.error()));
        co_return std::move(*found);
    }

    awaitable<std::expected<std::vector<recorded_order_view>, store_errc>> list_of_product(
        std::int64_t product_id, std::int64_t after, std::int64_t limit) override {
        using answer = std::vector<recorded_order_view>;
        auto found = co_await database_.execute<answer>(
            access::read, io_, [=](sqlite::database& in) -> std::expected<answer, sqlite::error> {
                auto row = in.prepare(list_product_orders);
                row.integer(product_id).integer(after).integer(limit);
                answer out;
                while (true) {
                    const auto more = row.step();
                    if (!more) return std::unexpected(more.error());
                    if (!*more) return out;
                    out.push_back({order_of(row), row.integer_at(7)});
                }
            });
        if (!found) co_return std::unexpected(errc_of(found.error()));
        co_return std::move(*found);
    }

private:
    sqlite::queue& database_;
    asio::io_context& io_;
};

}  // namespace

std::unique_ptr<store> make_sqlite_store(sqlite::queue& database, asio::io_context& io) {
    return std::make_unique<sqlite_store>(database, io);
}

std::span<const migration> sqlite_migrations() {
    static const migration all[] = {{1, "0001_orders", embedded::order_sqlite_0001},
                                    {2, "0002_recovery", embedded::order_sqlite_0002},
                                    {3, "0003_currency", embedded::order_sqlite_0003},
                                    {4, "0004_recorded", embedded::order_sqlite_0004},
                                    {5, "0005_lines", embedded::order_sqlite_0005}};
    return all;
}

}  // namespace flashsale::order
