// Orders from before they were known by id and line, brought up to date.

#include <catch2/catch.hpp>

#include "order_record.hpp"

using namespace flashsale;
using namespace flashsale::test;

namespace {

constexpr const char* as_before =
    "DROP TABLE sale_cancellations; DROP TABLE sale_cancellation_products;"
    "DROP TABLE order_changes; DROP TABLE refunds; DROP TABLE payments; DROP TABLE order_lives;"
    "ALTER TABLE orders DROP CONSTRAINT orders_pkey;"
    "ALTER TABLE orders DROP COLUMN line;"
    "ALTER TABLE orders ADD PRIMARY KEY (id);"
    "ALTER TABLE orders RENAME COLUMN epoch TO generation;"
    "ALTER TABLE barriers RENAME COLUMN epoch TO generation;"
    "ALTER TABLE fences RENAME COLUMN epoch TO generation;"
    "ALTER TABLE raised_fences RENAME COLUMN epoch TO generation;"
    "DELETE FROM schema_migrations WHERE version > 5;";

/// As the version of that time wrote it.
std::string insertion(database_kind kind, const events::order_accepted& of) {
    const bool postgres = kind == database_kind::postgres;
    const auto number = [](auto value) { return std::to_string(value) + ", "; };
    std::string id = of.id.to_string();
    if (!postgres) std::erase(id, '-');
    const std::string currency =
        of.currency.is_none() ? "NULL" : "'" + std::string(of.currency.text()) + "'";
    return std::string(
               "INSERT INTO orders (id, user_id, product_id, quantity, unit_price, order_status,"
               " idempotency_key, generation, seq, created_at, currency, recorded) VALUES (") +
           (postgres ? "'" : "x'") + id + "', " + number(of.user_id) + number(of.product_id) +
           number(of.quantity) + number(of.unit_price) + "'SUCCESS', '" + of.idempotency_key +
           "', " + number(of.epoch) + number(of.seq) + (postgres ? "now(), " : "1, ") + currency +
           ", " + std::to_string(of.seq) + ");";
}

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
    for (const events::order_accepted& one : before)
        record.database.sql(insertion(kind, one));
    record.database.sql("UPDATE recorded SET last = 50");

    CHECK(record.migrate().front() ==
          (kind == database_kind::postgres ? "0006_lines" : "0005_lines"));
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
        CHECK(kept.epoch == one.epoch);
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
        " idempotency_key, epoch, seq, created_at, recorded)"
        " SELECT id, 1, user_id, 4, quantity, unit_price, order_status, idempotency_key,"
        " epoch, seq, created_at, recorded FROM orders");
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
