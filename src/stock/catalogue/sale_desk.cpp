#include <flashsale/sql.hpp>
#include <flashsale/stock/sale_desks.hpp>

#include "product_columns.hpp"
#include "sale_service.hpp"

namespace flashsale::stock {

namespace {

constexpr sql::statement products_at_desk{
    sql::access::read, "products_at_desk",
    "SELECT id, name, supplied, returned FROM products"
    " WHERE sale_id = $1 AND coalesce(withdrawn, '') <> 'deleted' ORDER BY id"};

class sql_sale_desk final : public sale_desk {
public:
    sql_sale_desk(std::unique_ptr<sql::executor> database, std::unique_ptr<sale_store> record,
                  gate_decisions& gate)
        : database_(std::move(database)), record_(std::move(record)), service_(*record_, gate) {}

    answer find(std::int64_t id) override {
        auto found = co_await record_->find(id);
        if (!found) co_return std::unexpected(found.error());
        co_return co_await with_products(std::move(*found));
    }

    answer end(std::int64_t id) override {
        auto ended = co_await service_.set_state(id, sale_state::ended);
        if (!ended) co_return std::unexpected(ended.error());
        co_return co_await with_products(std::move(*ended));
    }

private:
    answer with_products(sale what) {
        auto found = co_await database_->execute(products_at_desk,
                                                 std::move(sql::parameters().integer(what.id)));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        sale_summary out{what.id, std::move(what.terms.name), what.created_at, {}};
        for (std::size_t row = 0; row < found->size(); ++row)
            out.products.push_back({found->integer(row, 0), std::string(found->text(row, 1)),
                                    found->integer(row, 2), found->integer(row, 3)});
        co_return out;
    }

    const std::unique_ptr<sql::executor> database_;
    const std::unique_ptr<sale_store> record_;
    sale_service service_;
};

}  // namespace

std::unique_ptr<sale_desk> make_postgres_sale_desk(postgres::pool& database, std::uint32_t shards,
                                                   gate_decisions& gate) {
    return std::make_unique<sql_sale_desk>(sql::make_executor(database),
                                           make_postgres_sales(database, shards), gate);
}

std::unique_ptr<sale_desk> make_sqlite_sale_desk(sqlite::queue& database, asio::io_context& io,
                                                 gate_decisions& gate) {
    return std::make_unique<sql_sale_desk>(sql::make_executor(database, io),
                                           make_sqlite_sales(database, io), gate);
}

}  // namespace flashsale::stock
