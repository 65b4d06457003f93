#include "record/sqlite_record.hpp"

#include <functional>
#include <numeric>
#include <stdexcept>

namespace flashsale::bench {

namespace {

using sqlite::query;
using sqlite::statement;

constexpr statement count_sold{
    "SELECT coalesce(sum(supplied - stock), 0) FROM products"
    " WHERE id IN (SELECT value FROM json_each(?1))"};
constexpr statement count_parked{"SELECT count(*) FROM parked WHERE created_at >= ?1"};
constexpr statement read_products{
    "SELECT id, supplied, stock FROM products WHERE id IN (SELECT value FROM json_each(?1))"};
constexpr statement read_orders{
    "SELECT id, user_id, product_id, quantity, idempotency_key FROM orders"
    " WHERE product_id IN (SELECT value FROM json_each(?1))"};
constexpr statement read_movements{
    "SELECT id, product_id, delta, kind FROM movements"
    " WHERE product_id IN (SELECT value FROM json_each(?1))"};
constexpr statement insert_users{
    "INSERT INTO users (username, balance, created_at)"
    " WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)"
    " SELECT 'bench-' || n, 0, 0 FROM numbers"};
constexpr statement range_of_users{"SELECT min(id), max(id) FROM users"};

using done = std::expected<void, std::string>;

std::expected<sqlite::database, std::string> open_file(const std::filesystem::path& file) {
    auto opened = sqlite::database::open({.file = file, .create = false});
    if (!opened) return std::unexpected(file.string() + ": " + opened.error().message);
    return std::move(*opened);
}

std::string json_array(std::span<const std::int64_t> ids) {
    std::string out = "[";
    for (const auto id : ids)
        out += (out.size() > 1 ? "," : "") + std::to_string(id);
    return out + "]";
}

done for_each_row(query rows, const std::function<void(const query&)>& each) {
    while (true) {
        const auto more = rows.step();
        if (!more) return std::unexpected("cannot read: " + more.error().message);
        if (!*more) return {};
        each(rows);
    }
}

query over(sqlite::database& in, const statement& what, std::span<const std::int64_t> products) {
    query rows = in.prepare(what);
    rows.text(json_array(products));
    return rows;
}

movement_kind kind_of(std::string_view name) {
    if (name == "initial") return movement_kind::initial;
    if (name == "restock") return movement_kind::restock;
    if (name == "sale") return movement_kind::sale;
    if (name == "reduction") return movement_kind::reduction;
    return movement_kind::other;
}

}  // namespace

std::expected<void, std::string> sqlite_record::open() {
    auto orders = open_file(folder_ / "order.db");
    if (!orders) return std::unexpected(orders.error());
    orders_.emplace(std::move(*orders));
    auto stock = open_file(folder_ / "stock.db");
    if (!stock) return std::unexpected(stock.error());
    stock_.emplace(std::move(*stock));
    opened_ = wall_clock_now();
    return {};
}

std::expected<record_source::progress, std::string> sqlite_record::count(
    std::span<const std::int64_t> products) {
    progress now;
    const auto read = for_each_row(over(*stock_, count_sold, products), [&](const query& row) {
        now.orders = now.sale_movements = row.integer_at(0);
    });
    if (!read) return std::unexpected(read.error());
    return now;
}

std::expected<record, std::string> sqlite_record::read(std::span<const std::int64_t> products) {
    record all;
    auto read = for_each_row(over(*orders_, read_orders, products), [&](const query& row) {
        all.orders.push_back({row.uuid_at(0), row.integer_at(1), row.integer_at(2),
                              row.integer_at(3), std::string{row.text_at(4)}});
    });
    if (read) {
        read = for_each_row(over(*stock_, read_movements, products), [&](const query& row) {
            all.movements.push_back(
                {row.uuid_at(0), row.integer_at(1), row.integer_at(2), kind_of(row.text_at(3))});
        });
    }
    if (read) {
        read = for_each_row(over(*stock_, read_products, products), [&](const query& row) {
            all.products.push_back({row.integer_at(0), row.integer_at(1), row.integer_at(2)});
        });
    }
    if (read) {
        query parked = orders_->prepare(count_parked);
        parked.time(opened_);
        read = for_each_row(std::move(parked),
                            [&](const query& row) { all.parked = row.integer_at(0); });
    }
    if (!read) return std::unexpected(read.error());
    return all;
}

std::vector<std::int64_t> insert_sqlite_users(const std::filesystem::path& folder,
                                              std::size_t count) {
    auto file = open_file(folder / "user.db");
    if (!file) throw std::runtime_error(file.error());
    const auto inserted =
        file->prepare(insert_users).integer(static_cast<std::int64_t>(count)).run();
    if (!inserted) throw std::runtime_error("cannot insert users: " + inserted.error().message);
    std::int64_t first = 0, last = 0;
    const auto read = for_each_row(file->prepare(range_of_users), [&](const query& row) {
        first = row.integer_at(0);
        last = row.integer_at(1);
    });
    if (!read) throw std::runtime_error(read.error());
    if (last - first + 1 != static_cast<std::int64_t>(count)) {
        throw std::runtime_error("cannot insert users: the folder has some");
    }
    std::vector<std::int64_t> ids(count);
    std::iota(ids.begin(), ids.end(), first);
    return ids;
}

void hold_sqlite_orders(const std::filesystem::path& folder, const std::function<void()>& body) {
    auto file = open_file(folder / "order.db");
    if (!file) throw std::runtime_error(file.error());
    const auto held = file->transaction(
        sqlite::access::write, [&](sqlite::database&) -> std::expected<void, sqlite::error> {
            body();
            return {};
        });
    if (!held) throw std::runtime_error("cannot hold the orders: " + held.error().message);
}

}  // namespace flashsale::bench
