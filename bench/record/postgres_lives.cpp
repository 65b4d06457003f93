#include "record/postgres_lives.hpp"

#include "record/postgres_reading.hpp"

namespace flashsale::bench {

namespace {

using postgres::parameters;
using postgres::statement;

constexpr statement read_orders{
    "bench_lives",
    "SELECT o.id, o.user_id, o.quantity, o.order_status, o.created_at, l.status_since"
    "  FROM orders o LEFT JOIN order_lives l ON l.order_id = o.id WHERE o.product_id = $1"};
constexpr statement read_payments{
    "bench_payments",
    "SELECT order_id, user_id, amount FROM payments WHERE state = 'succeeded'"
    "   AND order_id IN (SELECT id FROM orders WHERE product_id = $1)"};
constexpr statement read_returns{
    "bench_returns", "SELECT id, delta FROM movements WHERE kind = 'return' AND product_id = $1"};
constexpr statement read_returned{"bench_returned", "SELECT returned FROM products WHERE id = $1"};
constexpr statement read_balances{"bench_balances",
                                  "SELECT id, balance FROM users WHERE id = ANY($1)"};

}  // namespace

postgres_lives::postgres_lives(const database_urls& urls, const std::string& user_url)
    : users_{settings(user_url)}, stock_{settings(urls.stock)}, orders_{settings(urls.order)} {}

std::expected<void, std::string> postgres_lives::open() {
    if (const auto there = users_.connect(); !there) return sentence("user", there.error());
    if (const auto there = stock_.connect(); !there) return sentence("stock", there.error());
    if (const auto there = orders_.connect(); !there) return sentence("order", there.error());
    return {};
}

std::expected<life_record, std::string> postgres_lives::read(std::int64_t product,
                                                             std::span<const std::int64_t> users) {
    life_record all;
    const auto orders = orders_.execute(read_orders, parameters{}.integer(product));
    if (!orders) return sentence("order", orders.error());
    for (std::size_t i = 0; i < orders->size(); ++i) {
        all.orders.push_back({orders->uuid(i, 0), orders->integer(i, 1), orders->integer(i, 2),
                              state_named(orders->text(i, 3)), orders->time(i, 4),
                              orders->optional_time(i, 5)});
    }
    const auto payments = orders_.execute(read_payments, parameters{}.integer(product));
    if (!payments) return sentence("order", payments.error());
    for (std::size_t i = 0; i < payments->size(); ++i) {
        all.payments.push_back(
            {payments->uuid(i, 0), payments->integer(i, 1), payments->integer(i, 2)});
    }
    const auto returns = stock_.execute(read_returns, parameters{}.integer(product));
    if (!returns) return sentence("stock", returns.error());
    for (std::size_t i = 0; i < returns->size(); ++i)
        all.returns.push_back({returns->uuid(i, 0), returns->integer(i, 1)});
    const auto returned = stock_.execute(read_returned, parameters{}.integer(product));
    if (!returned) return sentence("stock", returned.error());
    if (!returned->empty()) all.returned = returned->integer(0, 0);
    const auto balances = users_.execute(read_balances, parameters{}.integers(users));
    if (!balances) return sentence("user", balances.error());
    for (std::size_t i = 0; i < balances->size(); ++i)
        all.balances.push_back({balances->integer(i, 0), balances->integer(i, 1)});
    return all;
}

}  // namespace flashsale::bench
