#include "record/postgres_record.hpp"

#include "record/postgres_reading.hpp"

#include <utility>

namespace flashsale::bench {

namespace {

using postgres::parameters;
using postgres::rows;
using postgres::statement;

constexpr std::size_t rows_per_piece = 10'000;

constexpr statement order_clock{"bench_order_clock", "SELECT now()"};
constexpr statement stock_clock{"bench_stock_clock", "SELECT count(*) FROM products WHERE false"};
constexpr statement count_orders{"bench_count_orders",
                                 "SELECT count(*) FROM orders WHERE product_id = ANY($1)"};
constexpr statement count_sales{
    "bench_count_sales",
    "SELECT count(*) FROM movements WHERE kind = 'sale' AND product_id = ANY($1)"};
constexpr statement count_parked{"bench_count_parked",
                                 "SELECT count(*) FROM parked WHERE created_at >= $1"};
constexpr statement read_products{"bench_read_products",
                                  "SELECT id, supplied, stock FROM products WHERE id = ANY($1)"};

constexpr const char* read_orders =
    "SELECT id, user_id, product_id, quantity, coalesce(idempotency_key, '')::text "
    "FROM orders WHERE product_id = ANY('{";
constexpr const char* read_movements =
    "SELECT id, product_id, delta, kind::text FROM movements WHERE product_id = ANY('{";

std::string with_products(const char* sql, std::span<const std::int64_t> products) {
    std::string text = sql;
    for (std::size_t i = 0; i < products.size(); ++i) {
        if (i > 0) text += ',';
        text += std::to_string(products[i]);
    }
    return text + "}'::bigint[])";
}

movement_kind kind_of(std::string_view name) {
    if (name == "initial") return movement_kind::initial;
    if (name == "restock") return movement_kind::restock;
    if (name == "sale") return movement_kind::sale;
    if (name == "reduction") return movement_kind::reduction;
    return movement_kind::other;
}

}  // namespace

postgres_record::postgres_record(const database_urls& urls)
    : orders_{settings(urls.order)}, stock_{settings(urls.stock)} {}

std::expected<void, std::string> postgres_record::open() {
    const auto now = orders_.execute(order_clock);
    if (!now) return sentence("order", now.error());
    opened_ = now->time(0, 0);
    if (const auto there = stock_.execute(stock_clock); !there) {
        return sentence("stock", there.error());
    }
    return {};
}

std::expected<record_source::progress, std::string> postgres_record::count(
    std::span<const std::int64_t> products) {
    const auto orders = orders_.execute(count_orders, parameters{}.integers(products));
    if (!orders) return sentence("order", orders.error());
    const auto sales = stock_.execute(count_sales, parameters{}.integers(products));
    if (!sales) return sentence("stock", sales.error());
    return progress{orders->integer(0, 0), sales->integer(0, 0)};
}

std::expected<record, std::string> postgres_record::read(std::span<const std::int64_t> products) {
    record all;
    const auto order_piece = [&](const rows& piece) {
        for (std::size_t i = 0; i < piece.size(); ++i) {
            all.orders.push_back({piece.uuid(i, 0), piece.integer(i, 1), piece.integer(i, 2),
                                  piece.integer(i, 3), std::string{piece.text(i, 4)}});
        }
    };
    const auto movement_piece = [&](const rows& piece) {
        for (std::size_t i = 0; i < piece.size(); ++i) {
            all.movements.push_back({piece.uuid(i, 0), piece.integer(i, 1), piece.integer(i, 2),
                                     kind_of(piece.text(i, 3))});
        }
    };
    if (const auto read =
            orders_.stream(with_products(read_orders, products), rows_per_piece, order_piece);
        !read) {
        return sentence("order", read.error());
    }
    if (const auto read =
            stock_.stream(with_products(read_movements, products), rows_per_piece, movement_piece);
        !read) {
        return sentence("stock", read.error());
    }
    const auto stock = stock_.execute(read_products, parameters{}.integers(products));
    if (!stock) return sentence("stock", stock.error());
    for (std::size_t i = 0; i < stock->size(); ++i) {
        all.products.push_back({stock->integer(i, 0), stock->integer(i, 1), stock->integer(i, 2)});
    }
    const auto parked = orders_.execute(count_parked, parameters{}.time(opened_));
    if (!parked) return sentence("order", parked.error());
    all.parked = parked->integer(0, 0);
    return all;
}

}  // namespace flashsale::bench
