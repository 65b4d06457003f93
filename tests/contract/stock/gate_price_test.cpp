// What a gate refuses for its price: on each adapter.

#include <catch2/catch.hpp>

#include "gate_world.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t price = 1'999;  // of gate_world's products

adapter any() {
    return GENERATE(adapter::redis, adapter::database, adapter::memory);
}

reservation at_most(reservation what, std::int64_t unit_price) {
    what.unit_price_max = unit_price;
    return what;
}

}  // namespace

TEST_CASE("gate: a price above the expected one is refused, and nothing is taken") {
    gate_world world(any());
    const auto product = world.make_product(10, 6);
    const auto ask = [&](std::int64_t unit_price, std::int64_t quantity, std::string key) {
        return at_most(world.sale(product, 7, quantity, std::move(key)), unit_price);
    };
    const auto refused = world.reserve_one(ask(price - 1, 1, "a"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error() == errc::price_changed);
    CHECK(refused.error().left == price);
    CHECK(world.available(product) == 10);

    // In one batch: each is held to its own.
    const auto made = world.reserve({ask(price, 1, "b"), ask(price - 1, 1, "c"), ask(0, 2, "d"),
                                     ask(price + 1, 2, "e"), world.sale(product, 7, 1, "f")});
    CHECK(made[0].has_value());
    CHECK(made[1].error() == errc::price_changed);
    CHECK(made[2].error() == errc::price_changed);
    CHECK(made[3].has_value());
    CHECK(made[4].has_value());
    CHECK(world.available(product) == 6);

    // The key was granted at the price that is there: what is expected of a repeat means nothing.
    const auto repeat = world.reserve_one(ask(1, 1, "b"));
    REQUIRE(repeat.has_value());
    CHECK(repeat->repeat);
    CHECK(repeat->unit_price == price);

    // Before limit and stock, and after the window.
    CHECK(world.reserve_one(ask(1, 11, "g")).error() == errc::price_changed);
    CHECK(world.reserve_one(ask(price, 11, "g")).error() == errc::purchase_limit);
    const auto later = world.make_product(1, {}, wall_clock_now() + 1h);
    CHECK(world.reserve_one(at_most(world.sale(later, 7, 1, "h"), 1)).error() ==
          errc::sale_not_open);
    // One that was sold out a moment ago, too.
    const auto last = world.make_product(1);
    REQUIRE(world.reserve_one(world.sale(last, 7, 1, "i")).has_value());
    REQUIRE(world.reserve_one(world.sale(last, 7, 1, "j")).error() == errc::out_of_stock);
    CHECK(world.reserve_one(at_most(world.sale(last, 7, 1, "k"), 1)).error() ==
          errc::price_changed);
}

TEST_CASE("gate: a total beyond what is exact is refused, and one below it is not") {
    gate_world world(any());
    const std::int64_t most = units_max / price;
    const auto product = world.make_product(most + 2);
    CHECK(world.reserve_one(world.sale(product, 7, most + 1, "a")).error() == errc::total_too_high);
    CHECK(world.reserve_one(at_most(world.sale(product, 7, most + 1, "a"), price)).error() ==
          errc::total_too_high);
    CHECK(world.reserve_one(world.sale(product, 7, most + 3, "a")).error() == errc::out_of_stock);
    CHECK(world.reserve_one(world.sale(product, 7, most + 2, "a")).error() == errc::total_too_high);
    CHECK(world.available(product) == most + 2);
    // No price is paid for what is taken out by hand.
    CHECK(world.reserve_one(world.reduction(product, 1, "a")).has_value());
    CHECK(world.reserve_one(world.sale(product, 7, most, "a")).has_value());
    CHECK(world.available(product) == 1);
    const auto whole = world.make_product(most + 1);
    CHECK(world.reserve_one(world.reduction(whole, most + 1, "a")).has_value());
}
