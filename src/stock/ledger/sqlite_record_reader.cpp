#include <flashsale/sqlite.hpp>
#include <flashsale/stock/record.hpp>

namespace flashsale::stock {

namespace {

constexpr sqlite::statement page_products{
    "SELECT id, given, price, per_user_limit, sale_starts_at, sale_ends_at, stock,"
    "       coalesce(currency, '')"
    " FROM products"
    " WHERE id > ?1 AND id % ?2 = ?3 ORDER BY id LIMIT ?4"};
// What is noted of an allocation; allocation_at() reads it.
#define RETURNED "(id, line) IN (SELECT id, line FROM movements WHERE back)"
#define ALLOCATION_COLUMNS                                                           \
    "id, line, product_id, -delta, kind, coalesce(generation, 0), coalesce(seq, 0)," \
    " coalesce(idempotency_key, ''), " RETURNED
#define PAGE_MOVEMENTS(which)                                           \
    "SELECT " ALLOCATION_COLUMNS " FROM movements WHERE (" which        \
    ") AND NOT back AND (id, line) > (?1, ?5) AND product_id % ?2 = ?3" \
    " ORDER BY id, line LIMIT ?4"
constexpr sqlite::statement page_reductions{
    PAGE_MOVEMENTS("kind = 'reduction' OR (kind = 'sale' AND " RETURNED ")")};
constexpr sqlite::statement page_sales{PAGE_MOVEMENTS("kind = 'sale' AND NOT " RETURNED)};
#undef PAGE_MOVEMENTS
constexpr sqlite::statement all_allocations{"SELECT " ALLOCATION_COLUMNS
                                            " FROM movements WHERE kind IN ('sale', 'reduction')"};
#undef ALLOCATION_COLUMNS
#undef RETURNED
constexpr sqlite::statement has_moved{
    "SELECT 1 FROM movements WHERE id = ?1 AND line = ?2 AND NOT back"};

constexpr sqlite::statement all_products{
    "SELECT p.id, p.given, p.stock, p.per_user_limit, coalesce(m.moved, 0),"
    "       coalesce(m.moved_up, 0), coalesce(-m.sold, 0), coalesce(-m.reduced, 0),"
    "       coalesce(m.returned, 0)"
    " FROM products p LEFT JOIN"
    "   (SELECT product_id, sum(delta) AS moved,"
    "           sum(delta) FILTER (WHERE kind IN ('initial', 'restock', 'return')) AS moved_up,"
    "           sum(delta) FILTER (WHERE kind = 'sale') AS sold,"
    "           sum(delta) FILTER (WHERE kind = 'reduction') AS reduced,"
    "           sum(delta) FILTER (WHERE kind = 'return') AS returned"
    "    FROM movements GROUP BY product_id) m ON m.product_id = p.id"
    " ORDER BY p.id"};
std::unexpected<std::string> fault_of(const sqlite::error& error) {
    return std::unexpected("stock database: " + error.message);
}

/// Steps through all rows: one statement, and so one snapshot.
template <class Each>
std::expected<void, std::string> each_row(sqlite::query& rows, Each each) {
    while (true) {
        const auto more = rows.step();
        if (!more) return fault_of(more.error());
        if (!*more) return {};
        each();
    }
}

allocation allocation_at(const sqlite::query& row) {
    allocation out;
    out.order_id = row.uuid_at(0);
    out.line = static_cast<std::uint32_t>(row.integer_at(1));
    out.product_id = row.integer_at(2);
    out.quantity = row.integer_at(3);
    out.what = row.text_at(4) == "sale" ? operation::sale : operation::reduction;
    out.generation = static_cast<std::uint64_t>(row.integer_at(5));
    out.seq = static_cast<std::uint64_t>(row.integer_at(6));
    out.idempotency_key = row.text_at(7);
    if (row.integer_at(8) != 0) out.returned = out.quantity;
    return out;
}

class sqlite_record_reader final : public record_reader {
public:
    explicit sqlite_record_reader(sqlite::database& database) : database_(database) {}

    std::expected<product_page, std::string> products(std::uint32_t shard, std::uint32_t shards,
                                                      std::int64_t after,
                                                      std::size_t rows_max) override {
        auto row = database_.prepare(page_products);
        row.integer(after).integer(shards).integer(shard);
        row.integer(static_cast<std::int64_t>(rows_max));
        product_page out;
        const auto read = each_row(row, [&] {
            out.rows.push_back({{row.integer_at(0), row.integer_at(1), row.integer_at(2),
                                 row.optional_integer_at(3), row.optional_time_at(4),
                                 row.optional_time_at(5), currency_code::of_record(row.text_at(7))},
                                row.integer_at(6)});
        });
        if (!read) return std::unexpected(read.error());
        if (out.rows.size() == rows_max) out.next = out.rows.back().units.id;
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

    std::expected<std::vector<allocation_id>, std::string> moved(
        std::span<const allocation_id> ids) override {
        std::vector<allocation_id> out;
        for (const allocation_id& id : ids) {
            const auto found =
                database_.prepare(has_moved).uuid(id.order_id).integer(id.line).step();
            if (!found) return fault_of(found.error());
            if (*found) out.push_back(id);
        }
        return out;
    }

    std::expected<void, std::string> for_each_product(
        const std::function<void(recorded_product)>& each) override {
        auto row = database_.prepare(all_products);
        return each_row(row, [&] {
            each({row.integer_at(0), row.integer_at(1), row.integer_at(2),
                  row.optional_integer_at(3), row.integer_at(4), row.integer_at(5),
                  row.integer_at(6), row.integer_at(7), row.integer_at(8)});
        });
    }

    std::expected<void, std::string> for_each_allocation(
        const std::function<void(allocation)>& each) override {
        auto row = database_.prepare(all_allocations);
        return each_row(row, [&] { each(allocation_at(row)); });
    }

private:
    std::expected<allocation_page, std::string> allocations(const sqlite::statement& what,
                                                            std::uint32_t shard,
                                                            std::uint32_t shards,
                                                            allocation_id after,
                                                            std::size_t rows_max) {
        auto row = database_.prepare(what);
        row.uuid(after.order_id).integer(shards).integer(shard);
        row.integer(static_cast<std::int64_t>(rows_max)).integer(after.line);
        allocation_page out;
        const auto read = each_row(row, [&] { out.rows.push_back(allocation_at(row)); });
        if (!read) return std::unexpected(read.error());
        if (out.rows.size() == rows_max) out.next = out.rows.back().id();
        return out;
    }

    sqlite::database& database_;
};

}  // namespace

std::unique_ptr<record_reader> make_sqlite_record_reader(sqlite::database& database) {
    return std::make_unique<sqlite_record_reader>(database);
}

}  // namespace flashsale::stock
