#include <flashsale/stock/sales.hpp>
#include <flashsale/stock/shard_of.hpp>

#include "product_columns.hpp"
#include "sync_sale.hpp"

namespace flashsale::stock {

namespace {

using sql::access;

#define SALE_COLUMNS                                                                      \
    "id, name, starts_at, ends_at, coalesce(payment_window_s, 0), per_user_limit, state," \
    " revision, created_at, (SELECT count(*) FROM products p"                             \
    "   WHERE p.sale_id = sales.id AND coalesce(p.withdrawn, '') <> 'deleted')"

constexpr sql::statement insert_sale{
    access::write,
    "insert_sale",
    "INSERT INTO sales (name, starts_at, ends_at, payment_window_s, per_user_limit,"
    "                   idempotency_key)"
    " SELECT $1::text, $2::timestamptz, $3::timestamptz, nullif($4::bigint, 0), $5::bigint,"
    "        $6::text"
    " WHERE $3::timestamptz IS NULL OR $3::timestamptz > now()"
    " ON CONFLICT (idempotency_key) DO NOTHING RETURNING " SALE_COLUMNS,
    {"INSERT INTO sales (name, starts_at, ends_at, payment_window_s, per_user_limit,"
     "                   idempotency_key, created_at)"
     " SELECT ?1, ?2, ?3, nullif(?4, 0), ?5, ?6, ?7 WHERE ?3 IS NULL OR ?3 > ?7"
     " ON CONFLICT (idempotency_key) DO NOTHING RETURNING " SALE_COLUMNS}};
constexpr sql::statement find_sale_by_key{access::read, "find_sale_by_key",
                                          "SELECT " SALE_COLUMNS
                                          " FROM sales WHERE idempotency_key = $1"};
constexpr sql::statement find_sale{access::read, "find_sale",
                                   "SELECT " SALE_COLUMNS " FROM sales WHERE id = $1"};
constexpr sql::statement list_sales{access::read, "list_sales",
                                    "SELECT " SALE_COLUMNS
                                    " FROM sales WHERE id > $1 ORDER BY id LIMIT $2"};

// Orders are held by the payment window and counted by the limit: with the first product both
// stand, but for the limit's height.
constexpr sql::statement change_sale{
    access::write,
    "change_sale",
    "UPDATE sales SET name = $3, starts_at = $4, ends_at = $5,"
    " payment_window_s = nullif($6::bigint, 0), per_user_limit = $7::bigint,"
    " limit_max = greatest(coalesce(limit_max, 0), coalesce(per_user_limit, 0), $7::bigint),"
    " revision = revision + 1"
    " WHERE id = $1 AND revision = $2 AND state <> 'ended'"
    "   AND ((coalesce(payment_window_s, 0) = $6::bigint"
    "         AND (per_user_limit IS NULL) = ($7::bigint IS NULL))"
    "        OR NOT EXISTS (SELECT FROM products p WHERE p.sale_id = $1))"
    " RETURNING " SALE_COLUMNS,
    {"UPDATE sales SET name = ?3, starts_at = ?4, ends_at = ?5,"
     " payment_window_s = nullif(?6, 0), per_user_limit = ?7,"
     " limit_max = max(coalesce(limit_max, 0), coalesce(per_user_limit, 0), coalesce(?7, 0)),"
     " revision = revision + 1"
     " WHERE id = ?1 AND revision = ?2 AND state <> 'ended'"
     "   AND ((coalesce(payment_window_s, 0) = ?6 AND (per_user_limit IS NULL) = (?7 IS NULL))"
     "        OR NOT EXISTS (SELECT 1 FROM products p WHERE p.sale_id = ?1))"
     " RETURNING " SALE_COLUMNS,
     SYNC_SALE_OF_SQLITE}};
constexpr sql::statement set_state_of_sale{
    access::write,
    "set_state_of_sale",
    "UPDATE sales SET state = $2, revision = revision + 1"
    " WHERE id = $1 AND state <> $2 AND state <> 'ended' RETURNING " SALE_COLUMNS,
    {"UPDATE sales SET state = ?2, revision = revision + 1"
     " WHERE id = ?1 AND state <> ?2 AND state <> 'ended' RETURNING " SALE_COLUMNS,
     SYNC_SALE_OF_SQLITE}};
constexpr sql::statement sync_sale{
    access::write, "sync_sale", SYNC_SALES_OF_POSTGRES("id = $1"), {SYNC_SALE_OF_SQLITE}};

constexpr sql::statement products_of_sale{access::read, "products_of_sale",
                                          "SELECT " GATE_PRODUCT_COLUMNS
                                          " FROM products WHERE sale_id = $1 ORDER BY id"};
constexpr sql::statement read_epoch{access::read, "read_epoch_of_sale",
                                    "SELECT epoch FROM shards WHERE shard = $1"};

std::string_view word_of(sale_state state) {
    return state == sale_state::open ? "open" : state == sale_state::paused ? "paused" : "ended";
}

sale sale_at(const sql::rows& rows, std::size_t row) {
    sale out;
    out.id = rows.integer(row, 0);
    out.terms.name = rows.text(row, 1);
    out.terms.starts_at = rows.optional_time(row, 2);
    out.terms.ends_at = rows.optional_time(row, 3);
    out.terms.payment_window_s = static_cast<std::uint32_t>(rows.integer(row, 4));
    out.terms.per_user_limit = rows.optional_integer(row, 5);
    const std::string_view state = rows.text(row, 6);
    out.state = state == "open"     ? sale_state::open
                : state == "paused" ? sale_state::paused
                                    : sale_state::ended;
    out.revision = rows.integer(row, 7);
    out.created_at = rows.time(row, 8);
    out.products = rows.integer(row, 9);
    return out;
}

/// As many others may set a sale's state between a try to do so and the look at why it failed.
constexpr int set_state_tries_max = 20;

class sql_sales final : public sale_store {
public:
    sql_sales(std::unique_ptr<sql::executor> database, std::uint32_t shards)
        : database_(std::move(database)), shards_(shards) {}

    result<created> create(sale_terms what, std::string key) override {
        sql::parameters with;
        with.text(what.name).time(what.starts_at).time(what.ends_at);
        with.integer(std::int64_t{what.payment_window_s}).integer(what.per_user_limit).text(key);
        with.now();
        auto made = co_await database_->execute(insert_sale, std::move(with));
        if (!made) co_return std::unexpected(errc_of(made.error()));
        if (!made->empty()) co_return created{sale_at(*made, 0), false};
        auto known =
            co_await database_->execute(find_sale_by_key, std::move(sql::parameters().text(key)));
        if (!known) co_return std::unexpected(errc_of(known.error()));
        if (known->empty())
            co_return std::unexpected(what.ends_at ? errc::sale_over : errc::outcome_unknown);
        created found{sale_at(*known, 0), true};
        if (found.what.revision == 1 && found.what.terms != what)
            co_return std::unexpected(errc::idempotency_key_reused);
        co_return found;
    }

    result<sale> find(std::int64_t id) override {
        auto found =
            co_await database_->execute(find_sale, std::move(sql::parameters().integer(id)));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        if (found->empty()) co_return std::unexpected(errc::sale_not_found);
        co_return sale_at(*found, 0);
    }

    result<std::vector<sale>> list(std::int64_t after, std::int64_t limit) override {
        auto found = co_await database_->execute(
            list_sales, std::move(sql::parameters().integer(after).integer(limit)));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        std::vector<sale> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(sale_at(*found, row));
        co_return out;
    }

    result<changed_sale> change(std::int64_t id, std::int64_t revision, sale_terms to) override {
        sql::parameters with;
        with.integer(id).integer(revision).text(to.name).time(to.starts_at).time(to.ends_at);
        with.integer(std::int64_t{to.payment_window_s}).integer(to.per_user_limit);
        auto changed = co_await database_->execute(change_sale, std::move(with));
        if (!changed) co_return std::unexpected(errc_of(changed.error()));
        if (!changed->empty()) co_return co_await with_products(sale_at(*changed, 0));
        const auto known = co_await find(id);
        if (!known) co_return std::unexpected(known.error());
        co_return std::unexpected(known->state == sale_state::ended ? errc::sale_ended
                                  : known->revision != revision     ? errc::revision_changed
                                                                    : errc::sale_has_products);
    }

    result<changed_sale> set_state(std::int64_t id, sale_state to) override {
        for (int tries = 0; tries < set_state_tries_max; ++tries) {
            auto set = co_await database_->execute(
                set_state_of_sale, std::move(sql::parameters().integer(id).text(word_of(to))));
            if (!set) co_return std::unexpected(errc_of(set.error()));
            if (!set->empty()) co_return co_await with_products(sale_at(*set, 0));
            auto known = co_await find(id);
            if (!known) co_return std::unexpected(known.error());
            if (known->state == to) co_return co_await with_products(std::move(*known));
            if (known->state == sale_state::ended) co_return std::unexpected(errc::sale_ended);
            // It was in that state, and another request has changed it since.
        }
        co_return std::unexpected(errc::high_traffic);
    }

private:
    /// A product that was made meanwhile is seen by the second statement, if not by the first.
    result<changed_sale> with_products(sale what) {
        auto synced =
            co_await database_->execute(sync_sale, std::move(sql::parameters().integer(what.id)));
        if (!synced) co_return std::unexpected(errc_of(synced.error()));
        auto found = co_await database_->execute(products_of_sale,
                                                 std::move(sql::parameters().integer(what.id)));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        const std::int64_t shard = shard_of(what.id, shards_);
        auto epoch =
            co_await database_->execute(read_epoch, std::move(sql::parameters().integer(shard)));
        if (!epoch) co_return std::unexpected(errc_of_read(epoch.error()));
        changed_sale out{std::move(what), {}};
        for (std::size_t row = 0; row < found->size(); ++row) {
            out.products.push_back(gate_product_at(*found, row));
            if (!epoch->empty())
                out.products.back().epoch = static_cast<std::uint64_t>(epoch->integer(0, 0));
        }
        co_return out;
    }

    const std::unique_ptr<sql::executor> database_;
    const std::uint32_t shards_;
};

}  // namespace

std::unique_ptr<sale_store> make_postgres_sales(postgres::pool& database, std::uint32_t shards) {
    return std::make_unique<sql_sales>(sql::make_executor(database), shards);
}

std::unique_ptr<sale_store> make_sqlite_sales(sqlite::queue& database, asio::io_context& io) {
    return std::make_unique<sql_sales>(sql::make_executor(database, io), 1);
}

}  // namespace flashsale::stock
