#include <flashsale/order/store.hpp>
#include <flashsale/sql.hpp>

#include "order_columns.hpp"
#include "payment_columns.hpp"
#include "store_errc.hpp"

namespace flashsale::order {

namespace {

using sql::access;

constexpr sql::statement find_order{access::read, "find_order",
                                    "SELECT " ORDER_COLUMNS " FROM " ORDER_TABLES
                                    " WHERE o.id = $1 AND o.line = 0"};
// By the index of the unique key, which begins with the user: an index for this list alone would
// cost the recorder a fifth of its work on every order. Unless kept apart, PostgreSQL's planner
// would rather walk through the orders of all users, newest first. SQLite sorts ids, which are in
// the index, and reads the rows of those that are wanted.
constexpr sql::statement list_orders{
    access::read,
    "list_orders",
    "WITH o AS MATERIALIZED ("
    "  SELECT * FROM orders WHERE user_id = $1 AND id < $2"
    ") SELECT " ORDER_COLUMNS
    " FROM (SELECT * FROM o ORDER BY id DESC LIMIT $3) o"
    " LEFT JOIN order_lives l ON l.order_id = o.id ORDER BY o.id DESC",
    {"SELECT " ORDER_COLUMNS " FROM " ORDER_TABLES
     " WHERE o.id IN (SELECT id FROM orders WHERE user_id = ?1 AND id < ?2"
     "                ORDER BY id DESC LIMIT ?3) ORDER BY o.id DESC"}};
constexpr sql::statement list_orders_by_key{
    access::read, "list_orders_by_key",
    "SELECT " ORDER_COLUMNS ", o.idempotency_key FROM " ORDER_TABLES
    " WHERE o.user_id = $1 AND (o.product_id, o.idempotency_key) > ($2, $3)"
    " ORDER BY o.product_id, o.idempotency_key LIMIT $4"};
constexpr sql::statement list_product_orders{
    access::read, "list_product_orders",
    "SELECT " ORDER_COLUMNS ", o.recorded FROM " ORDER_TABLES
    " WHERE o.product_id = $1 AND o.recorded > $2 ORDER BY o.recorded LIMIT $3"};
constexpr sql::statement list_payments{
    access::read, "list_payments",
    "SELECT " PAYMENT_COLUMNS_OF(
        "") " FROM payments WHERE order_id = $1 OR replaces = $1 ORDER BY created_at, id"};
constexpr sql::statement list_changes{
    access::read, "list_changes",
    "SELECT from_status, to_status, coalesce(reason, ''), changed_at FROM order_changes"
    " WHERE order_id = $1 ORDER BY id"};
constexpr sql::statement find_parked_event{
    access::read, "find_parked_event",
    "SELECT event FROM parked WHERE event_id = $1 AND holds_units"};
// One process has the folder of a file, and its gate is the newest.
constexpr sql::statement find_fence{
    access::read, "find_fence", "SELECT epoch FROM fences WHERE shard = $1", {}};

constexpr uuid after_all{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                          0xff, 0xff, 0xff, 0xff}};

class sql_store final : public store {
public:
    explicit sql_store(std::unique_ptr<sql::executor> database) : database_(std::move(database)) {}

    awaitable<std::expected<std::optional<order>, store_errc>> find(uuid id) override {
        auto found = co_await database_->execute(find_order, std::move(sql::parameters().uuid(id)));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        if (found->empty()) co_return std::optional<order>{};
        co_return std::optional(read_order(*found, 0));
    }

    awaitable<std::expected<std::vector<payment>, store_errc>> payments(uuid order_id) override {
        auto found =
            co_await database_->execute(list_payments, std::move(sql::parameters().uuid(order_id)));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        co_return read_payments(*found);
    }

    awaitable<std::expected<std::vector<order_change>, store_errc>> changes(
        uuid order_id) override {
        auto found =
            co_await database_->execute(list_changes, std::move(sql::parameters().uuid(order_id)));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        std::vector<order_change> out;
        for (std::size_t row = 0; row < found->size(); ++row) {
            out.push_back({order_status_of(found->text(row, 0)).value(),
                           order_status_of(found->text(row, 1)).value(),
                           std::string(found->text(row, 2)), found->time(row, 3)});
        }
        co_return out;
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
            out.push_back(read_order(*found, row));
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
            order one = read_order(*found, row);
            out.push_back({one, {one.product_id, std::string(found->text(row, order_columns))}});
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
            out.push_back({read_order(*found, row), found->integer(row, order_columns)});
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
