#include "record/sqlite_lives.hpp"

#include <functional>
#include <utility>

namespace flashsale::bench {

namespace {

using sqlite::query;
using sqlite::statement;

constexpr statement read_orders{
    "SELECT o.id, o.user_id, o.quantity, o.order_status, o.created_at, l.status_since"
    "  FROM orders o LEFT JOIN order_lives l ON l.order_id = o.id WHERE o.product_id = ?1"};
constexpr statement read_payments{
    "SELECT order_id, user_id, amount FROM payments WHERE state = 'succeeded'"
    "   AND order_id IN (SELECT id FROM orders WHERE product_id = ?1)"};
constexpr statement read_returns{
    "SELECT id, delta FROM movements WHERE kind = 'return' AND product_id = ?1"};
constexpr statement read_returned{"SELECT returned FROM products WHERE id = ?1"};
constexpr statement read_balances{
    "SELECT id, balance FROM users WHERE id IN (SELECT value FROM json_each(?1))"};

using done = std::expected<void, std::string>;

done open_file(const std::filesystem::path& file, std::optional<sqlite::database>& into) {
    auto opened = sqlite::database::open({.file = file, .create = false});
    if (!opened) return std::unexpected(file.string() + ": " + opened.error().message);
    into.emplace(std::move(*opened));
    return {};
}

done for_each_row(query rows, const std::function<void(const query&)>& each) {
    while (true) {
        const auto more = rows.step();
        if (!more) return std::unexpected("cannot read: " + more.error().message);
        if (!*more) return {};
        each(rows);
    }
}

query of_product(sqlite::database& in, const statement& what, std::int64_t product) {
    query rows = in.prepare(what);
    rows.integer(product);
    return rows;
}

query of_users(sqlite::database& in, const statement& what, std::span<const std::int64_t> users) {
    std::string ids = "[";
    for (const auto id : users)
        ids += (ids.size() > 1 ? "," : "") + std::to_string(id);
    query rows = in.prepare(what);
    rows.text(ids + "]");
    return rows;
}

}  // namespace

done sqlite_lives::open() {
    for (const auto& [name, file] : {std::pair{"user.db", &users_}, std::pair{"stock.db", &stock_},
                                     std::pair{"order.db", &orders_}}) {
        if (auto opened = open_file(folder_ / name, *file); !opened) return opened;
    }
    return {};
}

std::expected<life_record, std::string> sqlite_lives::read(std::int64_t product,
                                                           std::span<const std::int64_t> users) {
    life_record all;
    auto read = for_each_row(of_product(*orders_, read_orders, product), [&](const query& row) {
        all.orders.push_back({row.uuid_at(0), row.integer_at(1), row.integer_at(2),
                              state_named(row.text_at(3)), row.time_at(4),
                              row.optional_time_at(5)});
    });
    if (read) {
        read = for_each_row(of_product(*orders_, read_payments, product), [&](const query& row) {
            all.payments.push_back({row.uuid_at(0), row.integer_at(1), row.integer_at(2)});
        });
    }
    if (read) {
        read = for_each_row(of_product(*stock_, read_returns, product), [&](const query& row) {
            all.returns.push_back({row.uuid_at(0), row.integer_at(1)});
        });
    }
    if (read) {
        read = for_each_row(of_product(*stock_, read_returned, product),
                            [&](const query& row) { all.returned = row.integer_at(0); });
    }
    if (read) {
        read = for_each_row(of_users(*users_, read_balances, users), [&](const query& row) {
            all.balances.push_back({row.integer_at(0), row.integer_at(1)});
        });
    }
    if (!read) return std::unexpected(read.error());
    return all;
}

}  // namespace flashsale::bench
