// What every store of products does, on each database.

#include <catch2/catch.hpp>

#include "stock_record.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

new_product lamp(std::string key) {
    new_product out;
    out.name = "Lamp";
    out.price = 1'999;
    out.stock = 10;
    out.currency = *currency_code::parse("JPY");
    out.payment_window_s = 300;
    out.per_user_limit = 2;
    out.sale_starts_at = wall_clock_now();
    out.sale_ends_at = *out.sale_starts_at + std::chrono::hours{1};
    out.idempotency_key = std::move(key);
    return out;
}

}  // namespace

TEST_CASE("stock store: a product is made once for each key, with its first movement, and found") {
    stock_record record(each_database());
    const new_product what = lamp("key");
    const auto made = record.database.wait(record.store->create(what));
    REQUIRE(made.has_value());
    CHECK_FALSE(made->replayed);
    CHECK(made->initial == 10);
    CHECK(made->what.supplied == 10);
    CHECK(made->what.stock == 10);
    CHECK(made->what.sale_starts_at == what.sale_starts_at);
    CHECK(made->what.sale_ends_at == what.sale_ends_at);
    CHECK(made->what.currency.text() == "JPY");
    CHECK(made->what.payment_window_s == 300);

    REQUIRE(record.database.wait(
        record.store->restock(made->what.id, 5, "r", uuid_generator().make())));
    const auto again = record.database.wait(record.store->create(what));
    REQUIRE(again.has_value());
    CHECK(again->replayed);
    CHECK(again->initial == 10);
    CHECK(again->what.id == made->what.id);
    CHECK(again->what.supplied == 15);
    for (const auto change :
         {+[](new_product& p) { p.name = "Chair"; }, +[](new_product& p) { p.price = 1; },
          +[](new_product& p) { p.currency = {}; }, +[](new_product& p) { p.payment_window_s = 0; },
          +[](new_product& p) { p.payment_window_s = 301; }, +[](new_product& p) { p.stock = 15; },
          +[](new_product& p) { p.per_user_limit = {}; },
          +[](new_product& p) { p.sale_starts_at = {}; },
          +[](new_product& p) { p.sale_ends_at = {}; }}) {
        new_product other = what;
        change(other);
        CHECK(record.database.wait(record.store->create(other)).error() ==
              errc::idempotency_key_reused);
    }
    const auto found = record.database.wait(record.store->find(made->what.id));
    REQUIRE(found.has_value());
    CHECK(found->name == "Lamp");
    CHECK(found->per_user_limit == 2);
    CHECK(found->currency.text() == "JPY");
    CHECK(found->payment_window_s == 300);
    const auto listed = record.database.wait(record.store->list(0, 1));
    REQUIRE(listed.has_value());
    CHECK(listed->front().payment_window_s == 300);
    const auto restocked =
        record.database.wait(record.store->restock(made->what.id, 5, "r", uuid_generator().make()));
    REQUIRE(restocked.has_value());
    CHECK(restocked->replayed);
    CHECK(restocked->units.currency.text() == "JPY");
    CHECK(restocked->units.payment_window_s == 300);
    const auto read = record.reader->products(0, 1, 0, 10);
    REQUIRE(read.has_value());
    REQUIRE(read->rows.size() == 1);
    CHECK(read->rows[0].units.currency.text() == "JPY");
    CHECK(read->rows[0].units.payment_window_s == 300);
    // The first movement and the restock, each once.
    REQUIRE(record.reader->for_each_product([&](const recorded_product& sums) {
        CHECK(sums.stock == 15);
        CHECK(sums.moved == 15);
    }));
    CHECK(found->created_at == made->what.created_at);
    CHECK(record.database.wait(record.store->find(made->what.id + 1)).error() ==
          errc::product_not_found);
}

TEST_CASE("stock store: a product is sold outright, or held for up to a week") {
    stock_record record(each_database());
    const auto made_with = [&](std::uint32_t window_s) {
        new_product what = lamp("held for " + std::to_string(window_s));
        what.payment_window_s = window_s;
        return record.database.wait(record.store->create(what));
    };
    for (const std::uint32_t window_s : {0u, 1u, payment_window_max_s}) {
        INFO(window_s);
        const auto made = made_with(window_s);
        REQUIRE(made.has_value());
        CHECK(made->what.payment_window_s == window_s);
        const auto restocked = record.database.wait(
            record.store->restock(made->what.id, 5, "r", uuid_generator().make()));
        REQUIRE(restocked.has_value());
        CHECK_FALSE(restocked->replayed);
        CHECK(restocked->units.payment_window_s == window_s);
    }
    // The database's own rule, for what comes by another way.
    CHECK_FALSE(made_with(payment_window_max_s + 1).has_value());
    CHECK(record.database.wait(record.store->list(0, 10))->size() == 3);
}

TEST_CASE("stock store: products come in pages, ascending") {
    stock_record record(each_database());
    std::vector<std::int64_t> made;
    for (int i = 0; i < 7; ++i)
        made.push_back(record.make_product(i));
    std::vector<std::int64_t> seen;
    std::int64_t after = 0;
    while (true) {
        const auto page = record.database.wait(record.store->list(after, 3));
        REQUIRE(page.has_value());
        if (page->empty()) break;
        CHECK(page->size() <= 3);
        for (const product& one : *page)
            seen.push_back(one.id);
        after = seen.back();
    }
    CHECK(seen == made);
}

TEST_CASE("stock store: a restock counts once for each key of the product") {
    stock_record record(each_database());
    const auto a = record.make_product(10, 4), b = record.make_product(10);
    uuid_generator make;
    const uuid movement = make.make();
    const auto restock = [&](std::int64_t id, std::int64_t quantity, std::string key, uuid as) {
        return record.database.wait(record.store->restock(id, quantity, std::move(key), as));
    };
    const auto first = restock(a, 5, "k", movement);
    REQUIRE(first.has_value());
    CHECK_FALSE(first->replayed);
    CHECK(first->movement == movement);
    CHECK(first->units.id == a);
    CHECK(first->units.supplied == 15);
    CHECK(first->units.price == 1'999);
    CHECK(first->units.per_user_limit == 4);
    const auto again = restock(a, 5, "k", make.make());
    REQUIRE(again.has_value());
    CHECK(again->replayed);
    CHECK(again->movement == movement);
    CHECK(again->created_at == first->created_at);
    CHECK(again->units.supplied == 15);
    CHECK(restock(a, 6, "k", make.make()).error() == errc::idempotency_key_reused);
    CHECK(restock(b, 6, "k", make.make())->units.supplied == 16);
    CHECK(restock(b + 1, 6, "k", make.make()).error() == errc::product_not_found);
    CHECK(record.stock_of(a) == 15);
}

TEST_CASE("stock store: more units than scripts can count are refused, and nothing is noted") {
    stock_record record(each_database());
    const auto product = record.make_product(10);
    uuid_generator make;
    const uuid movement = make.make();
    CHECK(record.database.wait(record.store->restock(product, units_max, "k", movement)).error() ==
          errc::too_many_units);
    CHECK(record.reader->moved(std::vector<allocation_id>{{movement}})->empty());
    const auto less = record.database.wait(record.store->restock(product, 5, "k", movement));
    REQUIRE(less.has_value());
    CHECK_FALSE(less->replayed);
    CHECK(record.stock_of(product) == 15);
}

TEST_CASE("stock store: once it is closed, everybody is told to come again") {
    stock_record record(each_database());
    const auto product = record.make_product(10);
    record.database.stop();
    CHECK(record.database.wait(record.store->find(product)).error() ==
          errc::dependency_unavailable);
    CHECK(record.database.wait(record.store->create(lamp("k"))).error() ==
          errc::dependency_unavailable);
    CHECK(record.database.wait(record.store->list(0, 10)).error() == errc::dependency_unavailable);
    CHECK(record.database.wait(record.store->restock(product, 1, "k", uuid_generator().make()))
              .error() == errc::dependency_unavailable);
}

TEST_CASE("deployment: what was agreed on stays, another value is refused by name") {
    stock_record record(database_kind::postgres);  // a file has one process
    const auto agree = [&](const deployment& mine) {
        agree_on_deployment(*record.database.session(), mine);
    };
    const deployment first{"database", 1, std::chrono::milliseconds{2'000}, 128, {}, "EUR"};
    agree(first);
    agree(first);
    deployment other = first;
    other.gate_kind = "redis";
    CHECK_THROWS_WITH(agree(other), Catch::Contains("stock.gate = database, this process redis"));
    other = first;
    other.confirm_deadline = std::chrono::milliseconds{1'000};
    CHECK_THROWS_WITH(agree(other), Catch::Contains("orders.confirm_deadline_ms = 2000"));
    other = first;
    other.shards = 2;
    CHECK_THROWS(agree(other));
    other = first;
    other.prefetch_messages = 1;
    CHECK_THROWS(agree(other));
    other = first;
    other.currency = "USD";
    CHECK_THROWS_WITH(agree(other), Catch::Contains("stock.currency = EUR, this process USD"));
    agree(first);
}

TEST_CASE("deployment: has one identity, and its things are where they were") {
    stock_record record(database_kind::postgres);
    const auto agree = [&](const deployment& mine) {
        return agree_on_deployment(*record.database.session(), mine);
    };
    deployment mine{"redis",
                    1,
                    std::chrono::milliseconds{2'000},
                    128,
                    {{"redis.key_prefix", "a"}, {"amqp.namespace", "b"}}};
    const std::string identity = agree(mine);
    CHECK(uuid::parse(identity).has_value());
    CHECK(agree(mine) == identity);
    deployment other = mine;
    other.places[0].second = "elsewhere";
    CHECK_THROWS_WITH(agree(other),
                      Catch::Contains("redis.key_prefix = a, this process elsewhere"));
    other = mine;
    other.places[1].second = "elsewhere";
    CHECK_THROWS_WITH(agree(other), Catch::Contains("amqp.namespace = b"));
    CHECK(agree(mine) == identity);
}

TEST_CASE("deployment: each opening in a file has an epoch of its own") {
    stock_record record(database_kind::sqlite);  // a gate in a server outlives the process
    sqlite::database& file = *record.database.file();
    CHECK(count_new_epoch(file, 0) == 1);
    CHECK(count_new_epoch(file, 0) == 2);
    CHECK(count_new_epoch(file, 1) == 1);
    CHECK(count_new_epoch(file, 0) == 3);
}
