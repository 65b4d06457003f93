// What every gate does with units that come back.

#include <catch2/catch.hpp>

#include <flashsale/stock/returns.hpp>

#include "gate_world.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

std::string word(const decision& made) {
    if (!made) return std::string(name_of(made.error()));
    return !made->repeat ? "granted" : made->recorded ? "recorded" : "pending";
}

}  // namespace

TEST_CASE("gate: returned units are for sale again and no longer their buyer's, each once") {
    const adapter kind = GENERATE(adapter::redis, adapter::memory);
    gate_world world(kind);
    const auto product = world.make_product(5, 3);
    const auto reserve = [&](std::int64_t user, std::int64_t units, std::string key) {
        return word(world.reserve_one(world.sale(product, user, units, std::move(key))));
    };
    const auto take_returns = [&](std::int64_t supplied, std::int64_t returned) {
        REQUIRE(
            world.take_returns({{{product, supplied, 1'999, 3, {}, {}}}, {{product, 7, returned}}})
                .has_value());
        return *world.available(product);
    };
    REQUIRE(reserve(7, 3, "first") == "granted");
    REQUIRE(reserve(7, 1, "second") == "purchase_limit");
    REQUIRE(reserve(8, 2, "third") == "granted");
    REQUIRE(reserve(8, 1, "fourth") == "out_of_stock");
    // The first order has ended; told twice, and late once more.
    CHECK(take_returns(8, 3) == 3);
    CHECK(take_returns(8, 3) == 3);
    CHECK(reserve(7, 2, "fifth") == "granted");
    CHECK(take_returns(8, 3) == 1);
    CHECK(reserve(7, 2, "sixth") == "purchase_limit");
    CHECK(reserve(7, 1, "seventh") == "granted");
    CHECK(reserve(7, 1, "eighth") == "purchase_limit");
    // The key of an ended order stays used.
    CHECK(reserve(7, 3, "first") == "pending");
    // What comes later counts from what was applied.
    CHECK(take_returns(10, 5) == 2);
    CHECK(take_returns(9, 4) == 2);
    CHECK(reserve(7, 2, "ninth") == "granted");
    CHECK(reserve(9, 1, "tenth") == "out_of_stock");
}

TEST_CASE("gate: the database gate counts live units alone") {
    gate_world world(adapter::database);
    const auto product = world.make_product(5, 3);
    const auto reserve = [&](std::int64_t units, std::string key) {
        return world.reserve_one(world.sale(product, 7, units, std::move(key)));
    };
    const auto first = reserve(3, "first");
    REQUIRE(word(first) == "granted");
    REQUIRE(word(reserve(1, "second")) == "purchase_limit");
    const auto order = order_in(first->event);
    movement taken;
    taken.id = order.id;
    taken.product_id = product;
    taken.delta = -3;
    taken.epoch = order.epoch;
    taken.seq = order.seq;
    taken.created_at = order.created_at;
    const auto returned = make_postgres_returns(world.stock_database());
    const ended_line line{taken, 7};
    for (int twice = 0; twice < 2; ++twice) {
        auto done = returned->record(std::span(&line, 1));
        REQUIRE(done.has_value());
        REQUIRE(world.take_returns(std::move(done->units)).has_value());
        CHECK(world.available(product) == 5);
    }
    CHECK(word(reserve(3, "third")) == "granted");
    CHECK(word(reserve(1, "fourth")) == "purchase_limit");
    CHECK(world.available(product) == 2);
}
