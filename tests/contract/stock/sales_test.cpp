// What every record of sales does, on each database.

#include <catch2/catch.hpp>

#include "stock_record.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

using namespace std::chrono_literals;

sale_terms autumn() {
    sale_terms out;
    out.name = "Autumn";
    out.ends_at = wall_clock_now() + 1h;
    out.payment_window_s = 300;
    out.per_user_limit = 3;
    return out;
}

struct world : stock_record {
    explicit world(std::uint32_t shards = 1)
        : stock_record(each_database(), sqlite_migrations(), shards) {}

    std::int64_t make_sale(sale_terms terms = autumn()) {
        return database.wait(sales->create(std::move(terms), "sale-" + std::to_string(++made)))
            ->what.id;
    }
    std::expected<store::created, errc> add(std::int64_t sale, std::string key) {
        new_product what;
        what.name = "Lamp";
        what.price = 1'999;
        what.stock = 10;
        what.sale_id = sale;
        what.idempotency_key = std::move(key);
        return database.wait(store->create(std::move(what)));
    }

    int made = 0;
};

}  // namespace

TEST_CASE("sales: a sale is made once for each key, and found and listed") {
    world record;
    const auto made = record.database.wait(record.sales->create(autumn(), "key"));
    REQUIRE(made.has_value());
    CHECK_FALSE(made->replayed);
    CHECK(made->what.state == sale_state::open);
    CHECK(made->what.terms.payment_window_s == 300);
    CHECK(made->what.terms.per_user_limit == 3);
    auto other = autumn();
    other.name = "Winter";
    CHECK(record.database.wait(record.sales->create(other, "key")).error() ==
          errc::idempotency_key_reused);
    other.ends_at = wall_clock_now() - 1h;
    CHECK(record.database.wait(record.sales->create(other, "late")).error() == errc::sale_over);
    const auto found = record.database.wait(record.sales->find(made->what.id));
    CHECK(found->terms == made->what.terms);
    CHECK(record.database.wait(record.sales->find(made->what.id + 1)).error() ==
          errc::sale_not_found);
    CHECK(record.database.wait(record.sales->list(0, 10))->size() == 1);
    CHECK(record.database.wait(record.sales->list(made->what.id, 10))->empty());
}

TEST_CASE("sales: a product of a sale has its window and is placed at its shard") {
    constexpr std::uint32_t shards = 3;
    world record(shards);
    const auto one = record.make_sale(), two = record.make_sale();
    const bool placed = record.database.pool() != nullptr;
    for (int i = 0; i < 4; ++i) {
        for (const auto sale : {one, two}) {
            const auto key = std::to_string(sale) + "-" + std::to_string(i);
            const auto made = record.add(sale, key);
            REQUIRE(made.has_value());
            CHECK(made->what.sale_id == sale);
            CHECK(made->what.payment_window_s == 300);
            CHECK(made->what.sale_limit == 3);
            CHECK(made->what.sale_ends_at.has_value());
            if (placed) CHECK(shard_of(made->what.id, shards) == shard_of(sale, shards));
            const auto again = record.add(sale, key);
            REQUIRE(again.has_value());
            CHECK(again->replayed);
            CHECK(again->what.id == made->what.id);
        }
    }
    CHECK(record.add(two + 1, "none").error() == errc::sale_not_found);
    CHECK(record.database.wait(record.sales->find(one))->products == 4);
}

TEST_CASE("sales: what changes of a sale changes of its products, each under a new revision") {
    world record;
    const auto sale = record.make_sale();
    const auto product = record.add(sale, "a")->what.id;
    const auto other = record.add(record.make_sale(), "b")->what.id;
    auto to = autumn();
    to.starts_at = wall_clock_now() + 10min;
    to.per_user_limit = 7;
    const auto changed = record.database.wait(record.sales->change(sale, 1, to));
    REQUIRE(changed.has_value());
    CHECK(changed->what.revision == 2);
    REQUIRE(changed->products.size() == 1);
    CHECK(changed->products.front().id == product);
    CHECK(changed->products.front().revision == 2);
    CHECK(changed->products.front().sale_limit == 7);
    CHECK(changed->products.front().sale_id == sale);
    CHECK(changed->products.front().sale_starts_at == to.starts_at);
    CHECK(record.database.wait(record.sales->change(sale, 1, to)).error() ==
          errc::revision_changed);
    CHECK(record.database.wait(record.store->find(other))->revision == 1);
    // What orders are held and counted by stands.
    auto without = to;
    without.per_user_limit = {};
    CHECK(record.database.wait(record.sales->change(sale, 2, without)).error() ==
          errc::sale_has_products);
    auto slower = to;
    slower.payment_window_s = 600;
    CHECK(record.database.wait(record.sales->change(sale, 2, slower)).error() ==
          errc::sale_has_products);
    const auto empty = record.make_sale();
    CHECK(record.database.wait(record.sales->change(empty, 1, slower)).has_value());
}

TEST_CASE("sales: a state is set once, told again as often as asked, and the end is for ever") {
    world record;
    const auto sale = record.make_sale();
    const auto product = record.add(sale, "a")->what.id;
    const auto set = [&](sale_state to) {
        return record.database.wait(record.sales->set_state(sale, to));
    };
    const auto halted = [&] { return record.database.wait(record.store->find(product))->halted; };
    for (int twice = 0; twice < 2; ++twice) {
        const auto paused = set(sale_state::paused);
        REQUIRE(paused.has_value());
        CHECK(paused->what.revision == 2);
        REQUIRE(paused->products.size() == 1);
        CHECK(paused->products.front().halted == halt::paused);
        CHECK(paused->products.front().revision == 2);
    }
    CHECK(record.add(sale, "paused")->what.halted == halt::paused);
    CHECK(set(sale_state::open)->products.front().halted == halt::none);
    CHECK(halted() == halt::none);
    CHECK(set(sale_state::ended)->products.front().halted == halt::ended);
    CHECK(set(sale_state::ended)->what.revision == 4);
    CHECK(set(sale_state::paused).error() == errc::sale_ended);
    CHECK(set(sale_state::open).error() == errc::sale_ended);
    CHECK(record.database.wait(record.sales->change(sale, 4, autumn())).error() ==
          errc::sale_ended);
    CHECK(record.add(sale, "ended").error() == errc::sale_ended);
    CHECK(halted() == halt::ended);
}
