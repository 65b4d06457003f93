#include <flashsale/sql.hpp>
#include <flashsale/stock/store.hpp>

#include "store_rules.hpp"

namespace flashsale::stock {

namespace {

using sql::access;

#define PRODUCT_COLUMNS                                                                           \
    "id, name, price, supplied, stock, per_user_limit, sale_starts_at, sale_ends_at, created_at," \
    " coalesce(currency, ''), coalesce(payment_window_s, 0)"

constexpr std::size_t product_columns = 11;

// A product is made with its first movement. The window is judged by the clock that dates the
// product: PostgreSQL's, or the one that the executor reads as it runs the statement.
constexpr sql::statement insert_product{
    access::write,
    "insert_product",
    "WITH made AS ("
    "  INSERT INTO products (name, price, supplied, stock, per_user_limit, sale_starts_at,"
    "                        sale_ends_at, idempotency_key, currency, payment_window_s)"
    "  SELECT $1::text, $2::bigint, $3::bigint, $3::bigint, $4::bigint, $5::timestamptz,"
    "         $6::timestamptz, $7::text, nullif($8::text, ''), $10::bigint"
    "  WHERE $6::timestamptz IS NULL OR $6::timestamptz > now()"
    "  ON CONFLICT (idempotency_key) DO NOTHING RETURNING *"
    "), first AS ("
    "  INSERT INTO movements (id, product_id, delta, kind)"
    "  SELECT $9::uuid, id, supplied, 'initial' FROM made"
    ") SELECT " PRODUCT_COLUMNS " FROM made",
    {"INSERT INTO products (name, price, supplied, stock, per_user_limit, sale_starts_at,"
     "                      sale_ends_at, idempotency_key, created_at, currency,"
     "                      payment_window_s)"
     " SELECT ?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?11, nullif(?8, ''), ?10"
     " WHERE ?6 IS NULL OR ?6 > ?11"
     " ON CONFLICT (idempotency_key) DO NOTHING"
     " RETURNING " PRODUCT_COLUMNS,
     "INSERT INTO movements (id, product_id, delta, kind, created_at)"
     " SELECT ?9, last_insert_rowid(), ?3, 'initial', ?11 WHERE changes() = 1"}};
constexpr sql::statement find_product_by_key{
    access::read, "find_product_by_key",
    "SELECT " PRODUCT_COLUMNS
    ", (SELECT delta FROM movements m"
    "   WHERE m.product_id = products.id AND m.kind = 'initial')"
    " FROM products WHERE idempotency_key = $1"};
constexpr sql::statement find_product{access::read, "find_product",
                                      "SELECT " PRODUCT_COLUMNS " FROM products WHERE id = $1"};
constexpr sql::statement list_products{access::read, "list_products",
                                       "SELECT " PRODUCT_COLUMNS
                                       " FROM products WHERE id > $1 ORDER BY id LIMIT $2"};
constexpr sql::statement restock_product{
    access::write,
    "restock_product",
    "WITH moved AS ("
    "  INSERT INTO movements (id, product_id, delta, kind, idempotency_key)"
    "  SELECT $2, id, $3, 'restock', $4 FROM products WHERE id = $1"
    "  ON CONFLICT (product_id, kind, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING"
    "  RETURNING product_id, delta, created_at"
    ") UPDATE products p SET supplied = supplied + m.delta, stock = stock + m.delta,"
    "                        version = version + 1"
    " FROM moved m WHERE p.id = m.product_id"
    " RETURNING p.id, p.name, p.price, p.supplied, p.stock, p.per_user_limit, p.sale_starts_at,"
    "           p.sale_ends_at, m.created_at, coalesce(p.currency, ''), "
    "coalesce(p.payment_window_s, 0)",
    {"INSERT INTO movements (id, product_id, delta, kind, idempotency_key, created_at)"
     " SELECT ?2, id, ?3, 'restock', ?4, ?5 FROM products WHERE id = ?1"
     " ON CONFLICT (product_id, kind, idempotency_key) WHERE idempotency_key IS NOT NULL"
     " DO NOTHING",
     "UPDATE products SET supplied = supplied + ?3, stock = stock + ?3, version = version + 1"
     " WHERE id = ?1 AND changes() = 1"
     " RETURNING id, name, price, supplied, stock, per_user_limit, sale_starts_at, sale_ends_at, "
     "?5,"
     "           coalesce(currency, ''), coalesce(payment_window_s, 0)"}};
constexpr sql::statement find_restock{
    access::read, "find_restock",
    "SELECT p.id, p.name, p.price, p.supplied, p.stock, p.per_user_limit, p.sale_starts_at,"
    "       p.sale_ends_at, p.created_at, coalesce(p.currency, ''),"
    "       coalesce(p.payment_window_s, 0), m.id, m.delta, m.created_at"
    " FROM products p LEFT JOIN movements m"
    "   ON m.product_id = p.id AND m.kind = 'restock' AND m.idempotency_key = $1"
    " WHERE p.id = $2"};

errc errc_of(const sql::error& error) {
    switch (error.what) {
        case sql::error::kind::overloaded:
            return errc::overloaded;
        case sql::error::kind::outcome_unknown:
            return errc::outcome_unknown;
        default:
            return errc::dependency_unavailable;
    }
}

/// A read changes nothing: whatever became of it, there is only no answer.
errc errc_of_read(const sql::error& error) {
    const errc code = errc_of(error);
    return code == errc::outcome_unknown ? errc::dependency_unavailable : code;
}

product product_of(const sql::rows& rows, std::size_t row) {
    product out;
    out.id = rows.integer(row, 0);
    out.name = rows.text(row, 1);
    out.price = rows.integer(row, 2);
    out.supplied = rows.integer(row, 3);
    out.stock = rows.integer(row, 4);
    out.per_user_limit = rows.optional_integer(row, 5);
    out.sale_starts_at = rows.optional_time(row, 6);
    out.sale_ends_at = rows.optional_time(row, 7);
    out.created_at = rows.time(row, 8);
    out.currency = currency_code::of_record(rows.text(row, 9));
    out.payment_window_s = static_cast<std::uint32_t>(rows.integer(row, 10));
    return out;
}

class sql_store final : public store {
public:
    explicit sql_store(std::unique_ptr<sql::executor> database) : database_(std::move(database)) {}

    result<created> create(new_product what) override {
        sql::parameters with;
        with.text(what.name).integer(what.price).integer(what.stock).integer(what.per_user_limit);
        with.time(what.sale_starts_at).time(what.sale_ends_at).text(what.idempotency_key);
        with.text(what.currency.text()).uuid(ids_.make());
        std::optional<std::int64_t> window;
        if (what.payment_window_s != 0) window = what.payment_window_s;
        with.integer(window).now();
        auto made = co_await database_->execute(insert_product, std::move(with));
        if (!made) co_return std::unexpected(errc_of(made.error()));
        if (!made->empty()) co_return created{product_of(*made, 0), what.stock, false};

        auto known = co_await database_->execute(
            find_product_by_key, std::move(sql::parameters().text(what.idempotency_key)));
        if (!known) co_return std::unexpected(errc_of(known.error()));
        if (known->empty())
            co_return std::unexpected(what.sale_ends_at ? errc::sale_over : errc::outcome_unknown);
        created found{product_of(*known, 0), known->integer(0, product_columns), true};
        if (!is_the_same(found, what)) co_return std::unexpected(errc::idempotency_key_reused);
        co_return found;
    }

    result<product> find(std::int64_t id) override {
        auto found =
            co_await database_->execute(find_product, std::move(sql::parameters().integer(id)));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        if (found->empty()) co_return std::unexpected(errc::product_not_found);
        co_return product_of(*found, 0);
    }

    result<std::vector<product>> list(std::int64_t after, std::int64_t limit) override {
        auto found = co_await database_->execute(
            list_products, std::move(sql::parameters().integer(after).integer(limit)));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        std::vector<product> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(product_of(*found, row));
        co_return out;
    }

    result<restocked> restock(std::int64_t id, std::int64_t quantity, std::string key,
                              uuid movement) override {
        sql::parameters with;
        with.integer(id).uuid(movement).integer(quantity).text(key).now();
        auto moved = co_await database_->execute(restock_product, std::move(with));
        if (!moved && moved.error().what == sql::error::kind::data) {
            co_return std::unexpected(errc::too_many_units);
        }
        if (!moved) co_return std::unexpected(errc_of(moved.error()));
        if (!moved->empty()) {
            const product now = product_of(*moved, 0);
            co_return restocked{movement, now.created_at, units_of(now), false};
        }
        auto known = co_await database_->execute(
            find_restock, std::move(sql::parameters().text(key).integer(id)));
        if (!known) co_return std::unexpected(errc_of(known.error()));
        if (known->empty()) co_return std::unexpected(errc::product_not_found);
        if (known->is_null(0, product_columns)) co_return std::unexpected(errc::outcome_unknown);
        if (known->integer(0, product_columns + 1) != quantity) {
            co_return std::unexpected(errc::idempotency_key_reused);
        }
        co_return restocked{known->uuid(0, product_columns), known->time(0, product_columns + 2),
                            units_of(product_of(*known, 0)), true};
    }

private:
    const std::unique_ptr<sql::executor> database_;
    uuid_generator ids_;  // of the first movements
};

}  // namespace

std::unique_ptr<store> make_postgres_store(postgres::pool& database) {
    return std::make_unique<sql_store>(sql::make_executor(database));
}

std::unique_ptr<store> make_sqlite_store(sqlite::queue& database, asio::io_context& io) {
    return std::make_unique<sql_store>(sql::make_executor(database, io));
}

}  // namespace flashsale::stock
