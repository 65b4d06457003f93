#include <flashsale/order/store.hpp>
#include <flashsale/sql.hpp>

namespace flashsale::order {

namespace {

using sql::access;

#define ORDER_COLUMNS \
    "id, user_id, product_id, quantity, unit_price, created_at, coalesce(currency, '')"

constexpr sql::statement find_order{access::read, "find_order",
                                    "SELECT " ORDER_COLUMNS " FROM orders WHERE id = $1"};
// By the index of the unique key, which begins with the user: an index for this list alone would
// cost the recorder a fifth of its work on every order. Unless kept apart, PostgreSQL's planner
// would rather walk through the orders of all users, newest first. SQLite sorts ids, which are in
// the index, and reads the rows of those that are wanted.
constexpr sql::statement list_orders{
    access::read,
    "list_orders",
    "WITH mine AS MATERIALIZED ("
    "  SELECT " ORDER_COLUMNS
    " FROM orders"
    "  WHERE user_id = $1 AND id < $2"
    ") SELECT * FROM mine ORDER BY id DESC LIMIT $3",
    {"SELECT " ORDER_COLUMNS
     " FROM orders WHERE id IN (SELECT id FROM orders WHERE user_id = ?1 AND id < ?2"
     "                          ORDER BY id DESC LIMIT ?3) ORDER BY id DESC"}};
constexpr sql::statement list_orders_by_key{
    access::read, "list_orders_by_key",
    "SELECT " ORDER_COLUMNS
    ", idempotency_key FROM orders"
    " WHERE user_id = $1 AND (product_id, idempotency_key) > ($2, $3)"
    " ORDER BY product_id, idempotency_key LIMIT $4"};
constexpr sql::statement list_product_orders{
    access::read, "list_product_orders",
    "SELECT " ORDER_COLUMNS
    ", recorded FROM orders"
    " WHERE product_id = $1 AND recorded > $2 ORDER BY recorded LIMIT $3"};
constexpr sql::statement find_parked_event{
    access::read, "find_parked_event",
    "SELECT event FROM parked WHERE event_id = $1 AND holds_units"};
// One process has the folder of a file, and its gate is the newest.
constexpr sql::statement find_fence{
    access::read, "find_fence", "SELECT epoch FROM fences WHERE shard = $1", {}};
#undef ORDER_COLUMNS

constexpr uuid after_all{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                          0xff, 0xff, 0xff, 0xff}};

store_errc errc_of(const sql::error& error) {
    return error.what == sql::error::kind::overloaded ? store_errc::overloaded
                                                      : store_errc::dependency_unavailable;
}

order order_of(const sql::rows& rows, std::size_t row) {
    return {rows.uuid(row, 0),
            rows.integer(row, 1),
            rows.integer(row, 2),
            rows.integer(row, 3),
            rows.integer(row, 4),
            rows.time(row, 5),
            currency_code::of_record(rows.text(row, 6))};
}

class sql_store final : public store {
public:
    explicit sql_store(std::unique_ptr<sql::executor> database) : database_(std::move(database)) {}

    awaitable<std::expected<std::optional<order>, store_errc>> find(uuid id) override {
        auto found = co_await database_->execute(find_order, std::move(sql::parameters().uuid(id)));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        if (found->empty()) co_return std::optional<order>{};
        co_return std::optional(order_of(*found, 0));
    }

    awaitable<std::expected<std::optional<std::string>, store_errc>> find_parked(uuid id) override {
        auto found =
            co_await database_->execute(find_parked_event, std::move(sql::parameters().uuid(id)));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        if (found->empty()) co_return std::optional<std::string>{};
        co_return std::optional(std::string(found->text(0, 0)));
    }

    awaitable<std::expected<std::uint64_t, store_errc>> newest_gate(std::uint32_t shard) override {
        auto found =
            co_await database_->execute(find_fence, std::move(sql::parameters().integer(shard)));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        co_return found->empty() ? 0 : static_cast<std::uint64_t>(found->integer(0, 0));
    }

    awaitable<std::expected<std::vector<order>, store_errc>> list(std::int64_t user_id,
                                                                  std::optional<uuid> before,
                                                                  std::int64_t limit) override {
        sql::parameters with;
        with.integer(user_id).uuid(before.value_or(after_all)).integer(limit);
        auto found = co_await database_->execute(list_orders, std::move(with));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        std::vector<order> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(order_of(*found, row));
        co_return out;
    }

    awaitable<std::expected<std::vector<user_order>, store_errc>> list_by_key(
        std::int64_t user_id, user_order_place after, std::int64_t limit) override {
        sql::parameters with;
        with.integer(user_id).integer(after.product_id).text(after.idempotency_key).integer(limit);
        auto found = co_await database_->execute(list_orders_by_key, std::move(with));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        std::vector<user_order> out;
        for (std::size_t row = 0; row < found->size(); ++row) {
            order one = order_of(*found, row);
            out.push_back({one, {one.product_id, std::string(found->text(row, 7))}});
        }
        co_return out;
    }

    awaitable<std::expected<std::vector<recorded_order_view>, store_errc>> list_of_product(
        std::int64_t product_id, std::int64_t after, std::int64_t limit) override {
        sql::parameters with;
        with.integer(product_id).integer(after).integer(limit);
        auto found = co_await database_->execute(list_product_orders, std::move(with));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        std::vector<recorded_order_view> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back({order_of(*found, row), found->integer(row, 7)});
        co_return out;
    }

private:
    const std::unique_ptr<sql::executor> database_;
};

}  // namespace

std::unique_ptr<store> make_postgres_store(postgres::pool& database) {
    return std::make_unique<sql_store>(sql::make_executor(database));
}

std::unique_ptr<store> make_sqlite_store(sqlite::queue& database, asio::io_context& io) {
    return std::make_unique<sql_store>(sql::make_executor(database, io));
}

}  // namespace flashsale::order
