#include <flashsale/stock/shard_of.hpp>
#include <flashsale/stock/terms.hpp>

#include "product_columns.hpp"
#include "undo_terms.hpp"

namespace flashsale::stock {

namespace {

using sql::access;

// A limit comes or goes only where nothing was ever taken: `stock` is `supplied` then, and nothing
// has returned. What is granted and not recorded yet, the gate knows, and refuses.
constexpr sql::statement change_terms{
    access::write,
    "change_terms",
    "UPDATE products SET name = $3, price = $4, per_user_limit = $5::bigint,"
    " sale_starts_at = $6, sale_ends_at = $7,"
    " undo_limit = CASE WHEN (per_user_limit IS NULL) <> ($5::bigint IS NULL)"
    "              THEN coalesce(per_user_limit, 0) END,"
    " limit_max = CASE WHEN $5::bigint IS NOT NULL THEN"
    "               greatest(coalesce(limit_max, 0), coalesce(per_user_limit, 0), $5::bigint) END,"
    " revision = revision + 1, version = version + 1"
    " WHERE id = $1 AND revision = $2 AND withdrawn IS NULL"
    "   AND ((per_user_limit IS NULL) = ($5::bigint IS NULL)"
    "        OR (stock = supplied AND returned = 0))"
    " RETURNING " PRODUCT_COLUMNS,
    {"UPDATE products SET name = ?3, price = ?4, per_user_limit = ?5,"
     " sale_starts_at = ?6, sale_ends_at = ?7,"
     " undo_limit = CASE WHEN (per_user_limit IS NULL) <> (?5 IS NULL)"
     "              THEN coalesce(per_user_limit, 0) END,"
     " limit_max = CASE WHEN ?5 IS NOT NULL THEN"
     "               max(coalesce(limit_max, 0), coalesce(per_user_limit, 0), ?5) END,"
     " revision = revision + 1, version = version + 1"
     " WHERE id = ?1 AND revision = ?2 AND withdrawn IS NULL"
     "   AND ((per_user_limit IS NULL) = (?5 IS NULL) OR (stock = supplied AND returned = 0))"
     " RETURNING " PRODUCT_COLUMNS}};
constexpr sql::statement withdraw_product{
    access::write, "withdraw_product",
    "UPDATE products SET"
    " withdrawn = CASE WHEN stock = supplied AND returned = 0 THEN 'deleted' ELSE 'archived' END,"
    " revision = revision + 1, version = version + 1"
    " WHERE id = $1 AND withdrawn IS NULL RETURNING " PRODUCT_COLUMNS};
constexpr sql::statement undo_terms{access::write, "undo_terms",
                                    UNDO_TERMS " RETURNING " PRODUCT_COLUMNS};
constexpr sql::statement find_product{
    access::read, "find_product_to_change",
    "SELECT " PRODUCT_COLUMNS
    " FROM products WHERE id = $1 AND coalesce(withdrawn, '') <> 'deleted'"};
constexpr sql::statement read_epoch{access::read, "read_epoch_of_shard",
                                    "SELECT epoch FROM shards WHERE shard = $1"};

class sql_terms final : public terms_store {
public:
    sql_terms(std::unique_ptr<sql::executor> database, std::uint32_t shards)
        : database_(std::move(database)), shards_(shards) {}

    result<changed_product> change(std::int64_t id, std::int64_t revision,
                                   product_terms to) override {
        sql::parameters with;
        with.integer(id).integer(revision).text(to.name).integer(to.price);
        with.integer(to.per_user_limit).time(to.sale_starts_at).time(to.sale_ends_at);
        auto changed = co_await database_->execute(change_terms, std::move(with));
        if (!changed) co_return std::unexpected(errc_of(changed.error()));
        if (!changed->empty()) co_return co_await with_epoch(product_at(*changed, 0));
        const auto known = co_await find(id);
        if (!known) co_return std::unexpected(known.error());
        co_return std::unexpected(known->halted == halt::archived ? errc::product_archived
                                  : known->revision != revision   ? errc::revision_changed
                                                                  : errc::already_granted);
    }

    result<changed_product> withdraw(std::int64_t id) override {
        auto done =
            co_await database_->execute(withdraw_product, std::move(sql::parameters().integer(id)));
        if (!done) co_return std::unexpected(errc_of(done.error()));
        if (!done->empty()) co_return co_await with_epoch(product_at(*done, 0));
        auto known = co_await find(id);
        if (!known) co_return std::unexpected(known.error());
        co_return co_await with_epoch(std::move(*known));
    }

    result<changed_product> undo(std::int64_t id, std::int64_t revision) override {
        auto undone = co_await database_->execute(
            undo_terms, std::move(sql::parameters().integer(id).integer(revision)));
        if (!undone) co_return std::unexpected(errc_of(undone.error()));
        if (undone->empty()) co_return std::unexpected(errc::revision_changed);
        co_return co_await with_epoch(product_at(*undone, 0));
    }

private:
    result<product> find(std::int64_t id) {
        auto found =
            co_await database_->execute(find_product, std::move(sql::parameters().integer(id)));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        if (found->empty()) co_return std::unexpected(errc::product_not_found);
        co_return product_at(*found, 0);
    }

    result<changed_product> with_epoch(product what) {
        const std::int64_t shard = shard_of(what.id, shards_);
        auto found =
            co_await database_->execute(read_epoch, std::move(sql::parameters().integer(shard)));
        if (!found) co_return std::unexpected(errc_of_read(found.error()));
        const auto epoch = found->empty() ? 0 : static_cast<std::uint64_t>(found->integer(0, 0));
        co_return changed_product{std::move(what), epoch};
    }

    const std::unique_ptr<sql::executor> database_;
    const std::uint32_t shards_;
};

}  // namespace

std::unique_ptr<terms_store> make_postgres_terms(postgres::pool& database, std::uint32_t shards) {
    return std::make_unique<sql_terms>(sql::make_executor(database), shards);
}

std::unique_ptr<terms_store> make_sqlite_terms(sqlite::queue& database, asio::io_context& io) {
    return std::make_unique<sql_terms>(sql::make_executor(database, io), 1);
}

}  // namespace flashsale::stock
