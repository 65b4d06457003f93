#include <algorithm>

#include <flashsale/sql.hpp>
#include <flashsale/stock/record.hpp>

#include "gate_product_columns.hpp"

namespace flashsale::stock {

namespace {

using sql::access;

// The shard is not asked for here: PostgreSQL's planner takes a modulus for rare, and reads the
// whole table for each page.
constexpr sql::statement page_products{access::read, "record_page_products",
                                       "SELECT " GATE_PRODUCT_COLUMNS
                                       ", stock FROM products"
                                       " WHERE id > $1 ORDER BY id LIMIT $2"};

// What is noted of an allocation, in movements t; allocation_of() reads it. Few have come back:
// those are found by an index of their own.
#define ALLOCATION_COLUMNS                                                                         \
    "t.id, t.line, t.product_id, -t.delta, t.kind, coalesce(t.epoch, 0), coalesce(t.seq, 0),"      \
    " coalesce(t.idempotency_key, ''),"                                                            \
    " coalesce((SELECT r.kind FROM movements r WHERE r.id = t.id AND r.line = t.line AND r.back)," \
    " '')"
// What was dropped is found by the same index: among all movements the planner would go through the
// table by its key.
constexpr sql::statement page_reductions{
    access::read, "record_page_reductions",
    "SELECT " ALLOCATION_COLUMNS
    " FROM (SELECT * FROM movements WHERE kind = 'reduction' AND (id, line) > ($1, $2)"
    "  UNION ALL"
    "  SELECT s.* FROM movements r"
    "  JOIN movements s ON s.id = r.id AND s.line = r.line AND s.kind = 'sale'"
    "  WHERE r.back AND r.kind = 'drop' AND (r.id, r.line) > ($1, $2)) AS t"
    " ORDER BY t.id, t.line LIMIT $3"};
constexpr sql::statement page_sales{
    access::read, "record_page_sales",
    "SELECT " ALLOCATION_COLUMNS
    " FROM movements t WHERE t.kind = 'sale' AND NOT EXISTS"
    "   (SELECT 1 FROM movements r"
    "    WHERE r.id = t.id AND r.line = t.line AND r.back AND r.kind = 'drop')"
    " AND (t.id, t.line) > ($1, $2) ORDER BY t.id, t.line LIMIT $3"};
constexpr sql::statement all_allocations{access::read, "record_all_allocations",
                                         "SELECT " ALLOCATION_COLUMNS
                                         " FROM movements t WHERE t.kind IN ('sale', 'reduction')"};
#undef ALLOCATION_COLUMNS

constexpr sql::statement page_buyer_returns{
    access::read, "record_page_buyer_returns",
    "SELECT product_id, user_id, returned FROM buyer_returns"
    " WHERE (product_id, user_id) > ($1, $2) ORDER BY product_id, user_id LIMIT $3"};
constexpr sql::statement all_buyer_returns{
    access::read, "record_all_buyer_returns",
    "SELECT product_id, user_id, returned FROM buyer_returns ORDER BY product_id, user_id"};

constexpr sql::statement moved_ids{
    access::read,
    "record_moved_ids",
    "SELECT id, line FROM movements WHERE id = ANY($1::uuid[]) AND NOT back",
    {"SELECT id, line FROM movements WHERE id = ?1 AND NOT back"}};

constexpr sql::statement came_back_ids{
    access::read,
    "record_came_back_ids",
    "SELECT id, line FROM movements WHERE id = ANY($1::uuid[]) AND back",
    {"SELECT id, line FROM movements WHERE id = ?1 AND back"}};

// SQLite sums before it joins: otherwise it would read all movements for each product.
constexpr sql::statement all_products{
    access::read,
    "record_all_products",
    "SELECT p.id, p.supplied, p.stock,"
    "       CASE WHEN p.per_user_limit IS NOT NULL"
    "         THEN greatest(p.per_user_limit, coalesce(p.limit_max, 0)) END,"
    "       coalesce(sum(m.delta), 0)::bigint,"
    "       coalesce(sum(m.delta) FILTER (WHERE m.kind IN ('initial', 'restock', 'return', "
    "'drop')), 0)"
    "         ::bigint,"
    "       coalesce(-sum(m.delta) FILTER (WHERE m.kind = 'sale'), 0)::bigint,"
    "       coalesce(-sum(m.delta) FILTER (WHERE m.kind = 'reduction'), 0)::bigint,"
    "       coalesce(sum(m.delta) FILTER (WHERE m.kind = 'drop'), 0)::bigint,"
    "       coalesce(sum(m.delta) FILTER (WHERE m.kind = 'return'), 0)::bigint, p.returned,"
    "       coalesce(p.sale_id, 0), CASE WHEN p.sale_limit IS NOT NULL THEN"
    "         (SELECT greatest(s.per_user_limit, s.limit_max) FROM sales s WHERE s.id = p.sale_id)"
    "       END"
    " FROM products p LEFT JOIN movements m ON m.product_id = p.id GROUP BY p.id ORDER BY p.id",
    {"SELECT p.id, p.supplied, p.stock,"
     "       max(p.per_user_limit, coalesce(p.limit_max, 0)), coalesce(m.moved, 0),"
     "       coalesce(m.moved_up, 0), coalesce(-m.sold, 0), coalesce(-m.reduced, 0),"
     "       coalesce(m.dropped, 0), coalesce(m.returned, 0), p.returned,"
     "       coalesce(p.sale_id, 0), CASE WHEN p.sale_limit IS NOT NULL THEN"
     "         (SELECT max(s.per_user_limit, coalesce(s.limit_max, 0)) FROM sales s"
     "          WHERE s.id = p.sale_id) END"
     " FROM products p LEFT JOIN"
     "   (SELECT product_id, sum(delta) AS moved,"
     "           sum(delta) FILTER (WHERE kind IN ('initial', 'restock', 'return', 'drop')) AS "
     "moved_up,"
     "           sum(delta) FILTER (WHERE kind = 'sale') AS sold,"
     "           sum(delta) FILTER (WHERE kind = 'reduction') AS reduced,"
     "           sum(delta) FILTER (WHERE kind = 'drop') AS dropped,"
     "           sum(delta) FILTER (WHERE kind = 'return') AS returned"
     "    FROM movements GROUP BY product_id) m ON m.product_id = p.id"
     " ORDER BY p.id"}};
constexpr std::size_t rows_per_piece = 10'000;

template <class T>
std::unexpected<std::string> fault_of(const std::expected<T, sql::error>& failed) {
    return std::unexpected("stock database: " + failed.error().message);
}

allocation_id id_of(const sql::rows& rows, std::size_t row) {
    return {rows.uuid(row, 0), static_cast<std::uint32_t>(rows.integer(row, 1))};
}

allocation allocation_of(const sql::rows& rows, std::size_t row) {
    allocation out;
    out.order_id = rows.uuid(row, 0);
    out.line = static_cast<std::uint32_t>(rows.integer(row, 1));
    out.product_id = rows.integer(row, 2);
    out.quantity = rows.integer(row, 3);
    out.what = rows.text(row, 4) == "sale" ? operation::sale : operation::reduction;
    out.epoch = static_cast<std::uint64_t>(rows.integer(row, 5));
    out.seq = static_cast<std::uint64_t>(rows.integer(row, 6));
    out.idempotency_key = rows.text(row, 7);
    const std::string_view back = rows.text(row, 8);
    out.back = back == "drop"          ? came_back::dropped
               : back == "return"      ? came_back::returned
               : back == "written_off" ? came_back::written_off
                                       : came_back::no;
    return out;
}

class sql_record_reader final : public record_reader {
public:
    explicit sql_record_reader(std::unique_ptr<sql::session> database)
        : database_(std::move(database)) {}

    std::expected<product_page, std::string> products(std::uint32_t shard, std::uint32_t shards,
                                                      std::int64_t after,
                                                      std::size_t rows_max) override {
        const auto found = database_->execute(
            page_products,
            sql::parameters().integer(after).integer(static_cast<std::int64_t>(rows_max)));
        if (!found) return fault_of(found);
        product_page out;
        for (std::size_t row = 0; row < found->size(); ++row) {
            if (shard_of(found->integer(row, 0), shards) != shard) continue;
            out.rows.push_back(
                {gate_product_at(*found, row), found->integer(row, gate_product_columns)});
        }
        if (found->size() == rows_max) out.next = found->integer(rows_max - 1, 0);
        return out;
    }

    std::expected<allocation_page, std::string> reductions(std::uint32_t shard,
                                                           std::uint32_t shards,
                                                           allocation_id after,
                                                           std::size_t rows_max) override {
        return allocations(page_reductions, shard, shards, after, rows_max);
    }

    std::expected<allocation_page, std::string> sales(std::uint32_t shard, std::uint32_t shards,
                                                      allocation_id after,
                                                      std::size_t rows_max) override {
        return allocations(page_sales, shard, shards, after, rows_max);
    }

    std::expected<buyer_page, std::string> buyer_returns_of(std::uint32_t shard,
                                                            std::uint32_t shards, buyer after,
                                                            std::size_t rows_max) override {
        const auto found = database_->execute(page_buyer_returns,
                                              sql::parameters()
                                                  .integer(after.product_id)
                                                  .integer(after.user_id)
                                                  .integer(static_cast<std::int64_t>(rows_max)));
        if (!found) return fault_of(found);
        buyer_page out;
        for (std::size_t row = 0; row < found->size(); ++row) {
            if (shard_of(found->integer(row, 0), shards) != shard) continue;
            out.rows.push_back(
                {found->integer(row, 0), found->integer(row, 1), found->integer(row, 2)});
        }
        if (found->size() == rows_max)
            out.next = buyer{found->integer(rows_max - 1, 0), found->integer(rows_max - 1, 1)};
        return out;
    }

    std::expected<void, std::string> for_each_buyer_returns(
        const std::function<void(buyer_returns)>& each) override {
        return stream(all_buyer_returns, [&](const sql::rows& rows) {
            for (std::size_t row = 0; row < rows.size(); ++row)
                each({rows.integer(row, 0), rows.integer(row, 1), rows.integer(row, 2)});
        });
    }

    std::expected<std::vector<allocation_id>, std::string> moved(
        std::span<const allocation_id> ids) override {
        return lines_of(moved_ids, ids);
    }

    std::expected<std::vector<allocation_id>, std::string> came_back(
        std::span<const allocation_id> ids) override {
        return lines_of(came_back_ids, ids);
    }

    std::expected<void, std::string> for_each_product(
        const std::function<void(recorded_product)>& each) override {
        return stream(all_products, [&](const sql::rows& rows) {
            for (std::size_t row = 0; row < rows.size(); ++row) {
                each({rows.integer(row, 0), rows.integer(row, 1), rows.integer(row, 2),
                      rows.optional_integer(row, 3), rows.integer(row, 4), rows.integer(row, 5),
                      rows.integer(row, 6), rows.integer(row, 7), rows.integer(row, 8),
                      rows.integer(row, 9), rows.integer(row, 10), rows.integer(row, 11),
                      rows.optional_integer(row, 12)});
            }
        });
    }

    std::expected<void, std::string> for_each_allocation(
        const std::function<void(allocation)>& each) override {
        return stream(all_allocations, [&](const sql::rows& rows) {
            for (std::size_t row = 0; row < rows.size(); ++row)
                each(allocation_of(rows, row));
        });
    }

private:
    std::expected<void, std::string> stream(const sql::statement& what,
                                            const std::function<void(const sql::rows&)>& each) {
        const auto done = database_->stream(what, rows_per_piece, each);
        if (!done) return fault_of(done);
        return {};
    }

    std::expected<std::vector<allocation_id>, std::string> lines_of(
        const sql::statement& what, std::span<const allocation_id> ids) {
        std::vector<allocation_id> out;
        if (ids.empty()) return out;
        std::vector<uuid> orders;
        for (const allocation_id& one : ids)
            orders.push_back(one.order_id);
        std::ranges::sort(orders);
        orders.erase(std::ranges::unique(orders).begin(), orders.end());
        const auto found = database_->execute(what, sql::parameters().uuids(orders));
        if (!found) return fault_of(found);
        out.reserve(found->size());
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(id_of(*found, row));
        return out;
    }

    std::expected<allocation_page, std::string> allocations(const sql::statement& what,
                                                            std::uint32_t shard,
                                                            std::uint32_t shards,
                                                            allocation_id after,
                                                            std::size_t rows_max) {
        const auto found =
            database_->execute(what, sql::parameters()
                                         .uuid(after.order_id)
                                         .integer(after.line)
                                         .integer(static_cast<std::int64_t>(rows_max)));
        if (!found) return fault_of(found);
        allocation_page out;
        out.rows.reserve(found->size());
        for (std::size_t row = 0; row < found->size(); ++row) {
            if (shard_of(found->integer(row, 2), shards) == shard)
                out.rows.push_back(allocation_of(*found, row));
        }
        if (found->size() == rows_max) out.next = id_of(*found, rows_max - 1);
        return out;
    }

    const std::unique_ptr<sql::session> database_;
};

}  // namespace

std::unique_ptr<record_reader> make_postgres_record_reader(postgres::session& database) {
    return std::make_unique<sql_record_reader>(sql::make_session(database));
}

std::unique_ptr<record_reader> make_sqlite_record_reader(sqlite::database& database) {
    return std::make_unique<sql_record_reader>(sql::make_session(database));
}

}  // namespace flashsale::stock
