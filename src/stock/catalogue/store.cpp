#include <flashsale/sql.hpp>
#include <flashsale/stock/sales.hpp>
#include <flashsale/stock/store.hpp>

#include "product_columns.hpp"
#include "store_rules.hpp"

namespace flashsale::stock {

namespace {

using sql::access;

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
// The sale's row is locked, so that it changes before this or after it. Ids that are of another
// shard than the sale's are never used.
constexpr sql::statement insert_product_of_sale{
    access::write,
    "insert_product_of_sale",
    "WITH RECURSIVE sale AS ("
    "  SELECT * FROM sales WHERE id = $9 AND state <> 'ended' AND (ends_at IS NULL OR ends_at > "
    "now())"
    "  FOR SHARE"
    "), taken (id) AS ("
    "  SELECT nextval(pg_get_serial_sequence('products', 'id'))"
    "  UNION ALL"
    "  SELECT nextval(pg_get_serial_sequence('products', 'id')) FROM taken"
    "  WHERE id % $10::bigint <> $9 % $10::bigint"
    "), made AS ("
    "  INSERT INTO products (id, name, price, supplied, stock, per_user_limit, idempotency_key,"
    "                        currency, sale_id, sale_starts_at, sale_ends_at, payment_window_s,"
    "                        sale_limit, sale_state)"
    "  OVERRIDING SYSTEM VALUE"
    "  SELECT taken.id, $1::text, $2::bigint, $3::bigint, $3::bigint, $4::bigint, $5::text,"
    "         nullif($6::text, ''), sale.id, starts_at, ends_at, payment_window_s, per_user_limit,"
    "         nullif(state, 'open')"
    "  FROM sale, taken WHERE taken.id % $10::bigint = $9 % $10::bigint"
    "    AND (SELECT count(*) FROM products WHERE sale_id = $9) < $8::bigint"
    "  ON CONFLICT (idempotency_key) DO NOTHING RETURNING *"
    "), first AS ("
    "  INSERT INTO movements (id, product_id, delta, kind)"
    "  SELECT $7::uuid, id, supplied, 'initial' FROM made"
    ") SELECT " PRODUCT_COLUMNS " FROM made",
    {"INSERT INTO products (name, price, supplied, stock, per_user_limit, idempotency_key,"
     "                      currency, sale_id, sale_starts_at, sale_ends_at, payment_window_s,"
     "                      sale_limit, sale_state, created_at)"
     " SELECT ?1, ?2, ?3, ?3, ?4, ?5, nullif(?6, ''), id, starts_at, ends_at, payment_window_s,"
     "        per_user_limit, nullif(state, 'open'), ?11"
     " FROM sales WHERE id = ?9 AND state <> 'ended' AND (ends_at IS NULL OR ends_at > ?11)"
     "   AND (SELECT count(*) FROM products WHERE sale_id = ?9) < ?8 AND ?10 > 0"
     " ON CONFLICT (idempotency_key) DO NOTHING"
     " RETURNING " PRODUCT_COLUMNS,
     "INSERT INTO movements (id, product_id, delta, kind, created_at)"
     " SELECT ?7, last_insert_rowid(), ?3, 'initial', ?11 WHERE changes() = 1"}};
constexpr sql::statement why_no_product{
    access::read, "why_no_product_of_sale",
    "SELECT state, (SELECT count(*) FROM products p WHERE p.sale_id = s.id)"
    " FROM sales s WHERE s.id = $1"};
constexpr sql::statement find_product_by_key{
    access::read, "find_product_by_key",
    "SELECT " PRODUCT_COLUMNS
    ", (SELECT delta FROM movements m"
    "   WHERE m.product_id = products.id AND m.kind = 'initial')"
    " FROM products WHERE idempotency_key = $1"};
constexpr sql::statement find_product{
    access::read, "find_product",
    "SELECT " PRODUCT_COLUMNS
    " FROM products WHERE id = $1 AND coalesce(withdrawn, '') <> 'deleted'"};
constexpr sql::statement list_products{access::read, "list_products",
                                       "SELECT " PRODUCT_COLUMNS
                                       " FROM products WHERE id > $1 AND withdrawn IS NULL"
                                       " ORDER BY id LIMIT $2"};
constexpr sql::statement restock_product{
    access::write,
    "restock_product",
    "WITH moved AS ("
    "  INSERT INTO movements (id, product_id, delta, kind, idempotency_key)"
    "  SELECT $2, id, $3, 'restock', $4 FROM products"
    "  WHERE id = $1 AND coalesce(withdrawn, '') <> 'deleted'"
    "  ON CONFLICT (product_id, kind, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING"
    "  RETURNING product_id, delta, created_at"
    ") UPDATE products SET supplied = supplied + m.delta, stock = stock + m.delta,"
    "                      version = version + 1"
    " FROM moved m WHERE id = m.product_id"
    " RETURNING id, name, price, supplied, stock, per_user_limit, sale_starts_at, sale_ends_at,"
    "           m.created_at, coalesce(currency, ''), coalesce(payment_window_s, 0), revision,"
    "           coalesce(withdrawn, sale_state, ''), coalesce(sale_id, 0), coalesce(sale_limit, 0)",
    {"INSERT INTO movements (id, product_id, delta, kind, idempotency_key, created_at)"
     " SELECT ?2, id, ?3, 'restock', ?4, ?5 FROM products"
     " WHERE id = ?1 AND coalesce(withdrawn, '') <> 'deleted'"
     " ON CONFLICT (product_id, kind, idempotency_key) WHERE idempotency_key IS NOT NULL"
     " DO NOTHING",
     "UPDATE products SET supplied = supplied + ?3, stock = stock + ?3, version = version + 1"
     " WHERE id = ?1 AND changes() = 1"
     " RETURNING id, name, price, supplied, stock, per_user_limit, sale_starts_at, sale_ends_at,"
     "           ?5, coalesce(currency, ''), coalesce(payment_window_s, 0), revision,"
     "           coalesce(withdrawn, sale_state, ''), coalesce(sale_id, 0),"
     "           coalesce(sale_limit, 0)"}};
constexpr sql::statement find_restock{
    access::read, "find_restock",
    "SELECT " PRODUCT_COLUMNS
    ", m.movement, m.delta, m.moved_at"
    " FROM products LEFT JOIN"
    "   (SELECT id AS movement, product_id, delta, created_at AS moved_at FROM movements"
    "    WHERE kind = 'restock' AND idempotency_key = $1) m ON m.product_id = products.id"
    " WHERE id = $2 AND coalesce(withdrawn, '') <> 'deleted'"};

class sql_store final : public store {
public:
    sql_store(std::unique_ptr<sql::executor> database, std::uint32_t shards)
        : database_(std::move(database)), shards_(shards) {}

    result<created> create(new_product what) override {
        auto made = co_await database_->execute(
            what.sale_id != 0 ? insert_product_of_sale : insert_product, parameters_of(what));
        if (!made) co_return std::unexpected(errc_of(made.error()));
        if (!made->empty()) co_return created{product_at(*made, 0), what.stock, false};

        auto known = co_await database_->execute(
            find_product_by_key, std::move(sql::parameters().text(what.idempotency_key)));
        if (!known) co_return std::unexpected(errc_of(known.error()));
        if (known->empty() && what.sale_id != 0) co_return co_await why_not(what.sale_id);
        if (known->empty())
            co_return std::unexpected(what.sale_ends_at ? errc::sale_over : errc::outcome_unknown);
        created found{product_at(*known, 0), known->integer(0, product_columns), true};
        if (!is_the_same(found, what)) co_return std::unexpected(errc::idempotency_key_reused);
        co_return found;
    }

    result<product> find(std::int64_t id) override {
        auto found =
            co_await database_->execute(find_product, std::move(sql::parameters().integer(id)));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        if (found->empty()) co_return std::unexpected(errc::product_not_found);
        co_return product_at(*found, 0);
    }

    result<std::vector<product>> list(std::int64_t after, std::int64_t limit) override {
        auto found = co_await database_->execute(
            list_products, std::move(sql::parameters().integer(after).integer(limit)));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        std::vector<product> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(product_at(*found, row));
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
            const product now = product_at(*moved, 0);
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
                            units_of(product_at(*known, 0)), true};
    }

private:
    sql::parameters parameters_of(const new_product& what) {
        sql::parameters with;
        with.text(what.name).integer(what.price).integer(what.stock).integer(what.per_user_limit);
        if (what.sale_id != 0) {
            with.text(what.idempotency_key).text(what.currency.text()).uuid(ids_.make());
            with.integer(products_of_sale_max).integer(what.sale_id);
            return std::move(with.integer(std::int64_t{shards_}).now());
        }
        with.time(what.sale_starts_at).time(what.sale_ends_at).text(what.idempotency_key);
        with.text(what.currency.text()).uuid(ids_.make());
        std::optional<std::int64_t> window;
        if (what.payment_window_s != 0) window = what.payment_window_s;
        return std::move(with.integer(window).now());
    }

    /// A sale has got no product.
    result<created> why_not(std::int64_t sale_id) {
        auto found = co_await database_->execute(why_no_product,
                                                 std::move(sql::parameters().integer(sale_id)));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        if (found->empty()) co_return std::unexpected(errc::sale_not_found);
        const bool full = found->integer(0, 1) >= products_of_sale_max;
        const bool ended = found->text(0, 0) == "ended" || !full;
        co_return std::unexpected(ended ? errc::sale_ended : errc::sale_full);
    }

    const std::unique_ptr<sql::executor> database_;
    const std::uint32_t shards_;
    uuid_generator ids_;  // of the first movements
};

}  // namespace

std::unique_ptr<store> make_postgres_store(postgres::pool& database, std::uint32_t shards) {
    return std::make_unique<sql_store>(sql::make_executor(database), shards);
}

std::unique_ptr<store> make_sqlite_store(sqlite::queue& database, asio::io_context& io) {
    return std::make_unique<sql_store>(sql::make_executor(database, io), 1);
}

}  // namespace flashsale::stock
