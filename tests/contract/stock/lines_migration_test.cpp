// A ledger from before movements were known by order and line, brought up to date.

#include <catch2/catch.hpp>

#include <flashsale/stock/recovery.hpp>

#include "stock_record.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

constexpr const char* as_before =
    "DROP TABLE buyer_returns;"
    "DROP TABLE sales;"
    "ALTER TABLE products DROP COLUMN returned, DROP COLUMN payment_window_s,"
    " DROP COLUMN revision, DROP COLUMN undo_limit, DROP COLUMN limit_max, DROP COLUMN withdrawn,"
    " DROP COLUMN sale_id, DROP COLUMN sale_limit, DROP COLUMN sale_state;"
    "ALTER TABLE movements DROP CONSTRAINT movements_written_off_is_nothing;"
    "ALTER TABLE movements DROP CONSTRAINT movements_pkey;"
    "ALTER TABLE movements DROP COLUMN line, DROP COLUMN back;"
    "ALTER TABLE movements ADD PRIMARY KEY (id);"
    "ALTER TABLE outbox ALTER COLUMN event SET NOT NULL;"
    "ALTER TABLE movements RENAME COLUMN epoch TO generation;"
    "ALTER TABLE reservations RENAME COLUMN epoch TO generation;"
    "ALTER TABLE fences RENAME COLUMN epoch TO generation;"
    "ALTER TABLE shard_tokens RENAME COLUMN epoch TO generation;"
    "ALTER TABLE shards RENAME COLUMN epoch TO generation;"
    "ALTER TABLE products RENAME COLUMN supplied TO given;"
    "ALTER TABLE products RENAME CONSTRAINT products_stock_within_supplied"
    " TO products_stock_within_given;"
    "ALTER TABLE products RENAME CONSTRAINT products_supplied_exact_in_scripts"
    " TO products_given_exact_in_scripts;"
    "DELETE FROM schema_migrations WHERE version > 4;";

std::string literal(database_kind kind, const uuid& id) {
    std::string text = id.to_string();
    if (kind == database_kind::postgres) return "'" + text + "'";
    std::erase(text, '-');
    return "x'" + text + "'";
}

}  // namespace

TEST_CASE("stock migration: a ledger with rows keeps them, and knows lines from then on") {
    const auto kind = each_database();
    stock_record record(kind, sqlite_migrations().first(4));
    if (kind == database_kind::postgres) record.database.sql(as_before);
    constexpr std::int64_t product = 1;
    record.database.sql(std::string("INSERT INTO products (id, name, price, given, stock, ") +
                        (kind == database_kind::postgres
                             ? "created_at) OVERRIDING SYSTEM VALUE VALUES (1, 'Lamp', 1999, 100, "
                               "100, now())"
                             : "created_at) VALUES (1, 'Lamp', 1999, 100, 100, 1)"));
    const movement sale = record.sold(product, 4);
    movement reduction = record.sold(product, 5);
    reduction.what = operation::reduction;
    reduction.idempotency_key = "k";
    const std::string of_product = std::to_string(product);
    const char* now = kind == database_kind::postgres ? "now()" : "1";
    for (const movement* one : std::initializer_list<const movement*>{&sale, &reduction}) {
        const bool sold = one->what == operation::sale;
        record.database.sql(
            "INSERT INTO movements (id, product_id, delta, kind, generation, seq, idempotency_key,"
            " created_at) VALUES (" +
            literal(kind, one->id) + ", " + of_product + ", " + std::to_string(one->delta) +
            (sold ? ", 'sale', 1, 1, NULL, " : ", 'reduction', 1, 2, 'k', ") + now + ");" +
            "UPDATE products SET stock = stock + " + std::to_string(one->delta));
    }

    CHECK(record.migrate().front() == "0005_outbox");
    CHECK(record.migrate().empty());

    const auto all = [&] {
        std::map<allocation_id, allocation> found;
        REQUIRE(record.reader->for_each_allocation(
            [&](allocation one) { found.emplace(one.id(), std::move(one)); }));
        return found;
    };
    REQUIRE(all().size() == 2);
    CHECK(all().at(sale.taken()).quantity == 4);
    CHECK(all().at(reduction.taken()).what == operation::reduction);
    CHECK(all().at(reduction.taken()).idempotency_key == "k");

    // What was recorded before is known, and so is an order whose units a reduction took.
    for (const movement* one : std::initializer_list<const movement*>{&sale, &reduction})
        CHECK(record.ledger->record(std::span(one, 1))->empty());
    movement twin = reduction;
    twin.what = operation::sale;
    REQUIRE(record.ledger->record(std::span(&twin, 1)).has_value());
    CHECK(record.stock_of(product) == 91);

    movement line = sale;
    line.line = 1;
    line.delta = -2;
    const std::vector<movement> both{sale, line};
    for (int round = 0; round < 2; ++round) {
        CHECK(record.ledger->record(both)->empty());
        CHECK(record.stock_of(product) == 89);
    }
    CHECK(all().size() == 3);

    // A page may end between two lines of an order.
    std::vector<allocation_id> seen;
    std::optional<allocation_id> after = allocation_id{};
    while (after) {
        const auto page = record.reader->sales(0, 1, *after, 1);
        REQUIRE(page.has_value());
        for (const allocation& one : page->rows)
            seen.push_back(one.id());
        after = page->next;
    }
    CHECK(seen == std::vector{sale.taken(), line.taken()});
}
