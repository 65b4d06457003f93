#include <catch2/catch.hpp>

#include "gate_world.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

movement sold(uuid_generator& make, std::int64_t product, std::int64_t quantity) {
    movement out;
    out.id = make.make();
    out.product_id = product;
    out.delta = -quantity;
    out.generation = 1;
    out.seq = 1;
    out.created_at = wall_clock_now();
    return out;
}

}  // namespace

TEST_CASE("ledger: movements count once each, however often they come") {
    gate_world world(adapter::database);
    uuid_generator make;
    const auto a = world.make_product(1'000), b = world.make_product(1'000);
    std::vector<movement> batch;
    for (int i = 0; i < 100; ++i)
        batch.push_back(sold(make, i % 2 == 0 ? a : b, 3));
    const auto ledger = make_postgres_ledger(world.stock_database());
    for (int round = 0; round < 3; ++round) {
        const auto refused = ledger->record(batch);
        REQUIRE(refused.has_value());
        CHECK(refused->empty());
        CHECK(world.available(a) == 850);
        CHECK(world.available(b) == 850);
    }
    batch.push_back(sold(make, a, 10));
    REQUIRE(ledger->record(batch).has_value());
    CHECK(world.available(a) == 840);
}

TEST_CASE("ledger: what can never be recorded is named, the rest goes in") {
    gate_world world(adapter::database);
    uuid_generator make;
    const auto product = world.make_product(10);
    std::vector<movement> batch{sold(make, product, 3), sold(make, product + 1, 1),
                                sold(make, product, 100), sold(make, product, 2)};
    const auto ledger = make_postgres_ledger(world.stock_database());
    const auto refused = ledger->record(batch);
    REQUIRE(refused.has_value());
    REQUIRE(refused->size() == 2);
    CHECK((*refused)[0].id == batch[1].id);
    CHECK((*refused)[1].id == batch[2].id);
    CHECK((*refused)[1].reason.find("products_stock_not_negative") != std::string::npos);
    CHECK(world.available(product) == 5);
}
