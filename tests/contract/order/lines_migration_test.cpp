// Orders from before they were known by id and line, brought up to date.

#include <catch2/catch.hpp>

#include "order_record.hpp"

using namespace flashsale;
using namespace flashsale::test;

namespace {

constexpr const char* as_before =
    "ALTER TABLE orders DROP CONSTRAINT orders_pkey;"
    "ALTER TABLE orders DROP COLUMN line;"
    "ALTER TABLE orders ADD PRIMARY KEY (id);"
    "DELETE FROM schema_migrations WHERE version > 5;";

}  // namespace

TEST_CASE("order migration: orders with rows keep them, and have lines from then on") {
    const auto kind = each_database();
    order_record record(kind, order::sqlite_migrations().first(4));
    if (kind == database_kind::postgres) record.database.sql(as_before);
    std::vector<events::order_accepted> before;
    for (int i = 1; i <= 50; ++i) {
        before.push_back(record.accepted(i));
        if (i % 2 == 0) before.back().currency = *currency_code::parse("USD");
    }
    record.must_record(before);

    const char* last = kind == database_kind::postgres ? "0006_lines" : "0005_lines";
    CHECK(record.migrate() == std::vector<std::string>{last});
    CHECK(record.migrate().empty());

    CHECK(record.must_record(before).duplicates == before.size());
    const auto orders = record.orders();
    REQUIRE(orders.size() == before.size());
    for (const events::order_accepted& one : before) {
        const stock::allocation& kept = orders.at(one.id);
        CHECK(kept.line == 0);
        CHECK(kept.user_id == one.user_id);
        CHECK(kept.idempotency_key == one.idempotency_key);
        CHECK(kept.unit_price == one.unit_price);
        CHECK(kept.currency == one.currency);
        CHECK(kept.generation == one.generation);
        CHECK(kept.seq == one.seq);
    }
    const auto list = record.database.wait(record.store->list_of_product(3, 0, 100));
    REQUIRE(list.has_value());
    REQUIRE(list->size() == before.size());
    for (std::size_t i = 0; i < before.size(); ++i)
        CHECK((*list)[i].what.id == before[i].id);
    const auto twin = record.accepted(1, 3, before[0].idempotency_key);
    CHECK(record.must_record(std::span(&twin, 1)).parked == std::vector{twin.id});

    // A page may end between two lines of an order.
    record.database.sql(
        "INSERT INTO orders (id, line, user_id, product_id, quantity, unit_price, order_status,"
        " idempotency_key, generation, seq, created_at, recorded)"
        " SELECT id, 1, user_id, 4, quantity, unit_price, order_status, idempotency_key,"
        " generation, seq, created_at, recorded FROM orders");
    std::vector<stock::allocation_id> seen, expected;
    std::optional<stock::allocation_id> after = stock::allocation_id{};
    while (after) {
        const auto page = record.reader->orders(0, 1, *after, 3);
        REQUIRE(page.has_value());
        for (const stock::allocation& one : page->rows)
            seen.push_back(one.id());
        after = page->next;
    }
    for (const events::order_accepted& one : before)
        expected.insert(expected.end(), {{one.id, 0}, {one.id, 1}});
    std::ranges::sort(expected);
    CHECK(seen == expected);
}
