#include <flashsale/order/sale_cancellations.hpp>

#include "record/order_columns.hpp"
#include "sql_reading.hpp"

namespace flashsale::order {

namespace {

using sql::access;

constexpr sql::statement next_job{
    access::read, "next_sale_cancellation",
    "SELECT c.sale_id, coalesce(c.reason, ''), c.restock, p.product_id, p.after"
    " FROM (SELECT * FROM sale_cancellations WHERE done_at IS NULL"
    "       ORDER BY created_at, sale_id LIMIT 1) c"
    " JOIN sale_cancellation_products p ON p.sale_id = c.sale_id ORDER BY p.product_id"};
constexpr sql::statement orders_to_cancel{
    access::read, "orders_to_cancel",
    "SELECT " ORDER_COLUMNS ", o.recorded FROM " ORDER_TABLES
    " WHERE o.product_id = $1 AND o.recorded > $2 ORDER BY o.recorded LIMIT $3"};
constexpr sql::statement pass_orders{
    access::write, "pass_cancelled_orders",
    "UPDATE sale_cancellation_products SET after = $1, cancelled = cancelled + $2,"
    " refunded = refunded + $3, expired = expired + $4"
    " WHERE sale_id = $5 AND product_id = $6 AND after = $7"};
constexpr sql::statement finish_job{
    access::write,
    "finish_sale_cancellation",
    "UPDATE sale_cancellations SET done_at = now() WHERE sale_id = $1 AND done_at IS NULL",
    {"UPDATE sale_cancellations SET done_at = ?2 WHERE sale_id = ?1 AND done_at IS NULL"}};

class sql_sale_cancellations final : public sale_cancellations {
public:
    explicit sql_sale_cancellations(std::unique_ptr<sql::session> database)
        : database_(std::move(database)) {}

    result<std::optional<running_cancellation>> next() override {
        const auto found = database_.rows(next_job, {});
        if (!found) return std::unexpected(found.error());
        if (found->empty()) return std::optional<running_cancellation>{};
        running_cancellation out{
            found->integer(0, 0), std::string(found->text(0, 1)), found->boolean(0, 2), {}};
        for (std::size_t row = 0; row < found->size(); ++row)
            out.products.push_back({found->integer(row, 3), found->integer(row, 4)});
        return std::optional(std::move(out));
    }

    result<std::vector<order_at>> orders_of(std::int64_t product_id, std::int64_t after,
                                            std::size_t orders_max) override {
        sql::parameters with;
        with.integer(product_id).integer(after).integer(static_cast<std::int64_t>(orders_max));
        const auto found = database_.rows(orders_to_cancel, with);
        if (!found) return std::unexpected(found.error());
        std::vector<order_at> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back({read_order(*found, row), found->integer(row, order_columns)});
        return out;
    }

    result<void> pass(const cancellation_step& step) override {
        sql::parameters with;
        with.integer(step.to).integer(step.cancelled).integer(step.refunded).integer(step.expired);
        with.integer(step.sale_id).integer(step.product_id).integer(step.from);
        return database_.run(pass_orders, with);
    }

    result<void> finish(std::int64_t sale_id) override {
        return database_.run(finish_job, sql::parameters().integer(sale_id).now());
    }

private:
    sql_reading database_;
};

}  // namespace

std::unique_ptr<sale_cancellations> make_postgres_sale_cancellations(postgres::session& database) {
    return std::make_unique<sql_sale_cancellations>(sql::make_session(database));
}

std::unique_ptr<sale_cancellations> make_sqlite_sale_cancellations(sqlite::database& database) {
    return std::make_unique<sql_sale_cancellations>(sql::make_session(database));
}

}  // namespace flashsale::order
