#include <flashsale/order/sale_record.hpp>
#include <flashsale/sql.hpp>

#include "store_errc.hpp"

namespace flashsale::order {

namespace {

using sql::access;

// By price, so that no sum is of more than units; the prices of a sale are few.
constexpr sql::statement group_orders{
    access::read,
    "group_orders_of_sale",
    "SELECT product_id, order_status, unit_price, coalesce(currency, ''), count(*),"
    "       sum(quantity)::bigint, min(created_at), max(created_at)"
    " FROM orders WHERE product_id = ANY($1::bigint[])"
    " GROUP BY product_id, order_status, unit_price, coalesce(currency, '')",
    {"SELECT product_id, order_status, unit_price, coalesce(currency, ''), count(*),"
     "       sum(quantity), min(created_at), max(created_at)"
     " FROM orders WHERE product_id = ?1"
     " GROUP BY product_id, order_status, unit_price, coalesce(currency, '')"}};
constexpr sql::statement sum_owed{
    access::read,
    "sum_owed_of_sale",
    "SELECT coalesce(r.currency, ''), count(*), sum(r.amount)::bigint"
    " FROM refunds r JOIN orders o ON o.id = r.order_id AND o.line = 0"
    " WHERE r.state = 'pending' AND o.product_id = ANY($1::bigint[])"
    " GROUP BY coalesce(r.currency, '')",
    {"SELECT coalesce(r.currency, ''), count(*), sum(r.amount)"
     " FROM refunds r JOIN orders o ON o.id = r.order_id AND o.line = 0"
     " WHERE r.state = 'pending' AND o.product_id = ?1 GROUP BY coalesce(r.currency, '')"}};

constexpr sql::statement begin_cancelling{
    access::write,
    "begin_sale_cancellation",
    "WITH begun AS ("
    "  INSERT INTO sale_cancellations (sale_id, reason, restock)"
    "  VALUES ($1, nullif($2::text, ''), $3) ON CONFLICT (sale_id) DO NOTHING RETURNING sale_id"
    "), products AS ("
    "  INSERT INTO sale_cancellation_products (sale_id, product_id)"
    "  SELECT sale_id, product_id FROM begun, unnest($4::bigint[]) AS p (product_id)"
    ") SELECT sale_id FROM begun",
    {"INSERT INTO sale_cancellations (sale_id, reason, restock, created_at)"
     " VALUES (?1, nullif(?2, ''), ?3, ?5) ON CONFLICT (sale_id) DO NOTHING RETURNING sale_id",
     "INSERT INTO sale_cancellation_products (sale_id, product_id)"
     " SELECT sale_id, ?4 FROM sale_cancellations WHERE sale_id = ?1"
     " ON CONFLICT DO NOTHING"}};
constexpr sql::statement find_cancelling{
    access::read, "find_sale_cancellation",
    "SELECT c.sale_id, coalesce(c.reason, ''), c.restock, c.created_at, c.done_at,"
    "       p.cancelled, p.refunded, p.expired"
    " FROM sale_cancellations c JOIN sale_cancellation_products p ON p.sale_id = c.sale_id"
    " WHERE c.sale_id = $1"};

class sql_sale_record final : public sale_record {
public:
    explicit sql_sale_record(std::unique_ptr<sql::executor> database)
        : database_(std::move(database)) {}

    result<std::vector<order_group>> groups(std::vector<std::int64_t> products) override {
        std::vector<order_group> out;
        if (products.empty()) co_return out;
        auto found = co_await database_->execute(group_orders,
                                                 std::move(sql::parameters().integers(products)));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        for (std::size_t row = 0; row < found->size(); ++row) {
            out.push_back({found->integer(row, 0), order_status_of(found->text(row, 1)).value(),
                           found->integer(row, 2), currency_code::of_record(found->text(row, 3)),
                           found->integer(row, 4), found->integer(row, 5), found->time(row, 6),
                           found->time(row, 7)});
        }
        co_return out;
    }

    result<std::vector<owed_refunds>> owed(std::vector<std::int64_t> products) override {
        std::vector<owed_refunds> out;
        if (products.empty()) co_return out;
        auto found =
            co_await database_->execute(sum_owed, std::move(sql::parameters().integers(products)));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        for (std::size_t row = 0; row < found->size(); ++row) {
            const auto currency = currency_code::of_record(found->text(row, 0));
            auto known = std::ranges::find(out, currency, &owed_refunds::currency);
            if (known == out.end()) known = out.insert(out.end(), {currency, 0, 0});
            known->refunds += found->integer(row, 1);
            known->amount += found->integer(row, 2);
        }
        co_return out;
    }

    result<bool> begin_cancellation(std::int64_t sale_id, std::vector<std::int64_t> products,
                                    std::string reason, bool restock) override {
        sql::parameters with;
        with.integer(sale_id).text(reason).boolean(restock).integers(products).now();
        auto begun = co_await database_->execute(begin_cancelling, std::move(with));
        if (!begun) co_return std::unexpected(errc_of(begun.error()));
        co_return !begun->empty();
    }

    result<std::optional<sale_cancellation>> cancellation(std::int64_t sale_id) override {
        auto found = co_await database_->execute(find_cancelling,
                                                 std::move(sql::parameters().integer(sale_id)));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        if (found->empty()) co_return std::optional<sale_cancellation>{};
        sale_cancellation out;
        out.sale_id = found->integer(0, 0);
        out.reason = found->text(0, 1);
        out.restock = found->boolean(0, 2);
        out.created_at = found->time(0, 3);
        out.done_at = found->optional_time(0, 4);
        for (std::size_t row = 0; row < found->size(); ++row) {
            out.cancelled += found->integer(row, 5);
            out.refunded += found->integer(row, 6);
            out.expired += found->integer(row, 7);
        }
        co_return std::optional(std::move(out));
    }

private:
    const std::unique_ptr<sql::executor> database_;
};

}  // namespace

std::unique_ptr<sale_record> make_postgres_sale_record(postgres::pool& database) {
    return std::make_unique<sql_sale_record>(sql::make_executor(database));
}

std::unique_ptr<sale_record> make_sqlite_sale_record(sqlite::queue& database,
                                                     asio::io_context& io) {
    return std::make_unique<sql_sale_record>(sql::make_executor(database, io));
}

}  // namespace flashsale::order
