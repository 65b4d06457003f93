// What a product is sold for and under, on each gate: what it grants says so, its event, and
// whatever else answers the key.

#include <catch2/catch.hpp>
#include <flashsale/stock/recovery.hpp>

#include <algorithm>
#include <cstdlib>

#include "gate_world.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

std::string word(const decision& made) {
    if (!made) return std::string(name_of(made.error()));
    return !made->repeat ? "granted" : made->recorded ? "recorded" : "pending";
}

adapter any() {
    return GENERATE(adapter::redis, adapter::database, adapter::memory);
}

}  // namespace

TEST_CASE("gate: a product's own currency comes with its price, in whatever answers the key") {
    gate_world world(any());
    const auto dollars = *currency_code::parse("USD");
    const auto product = world.make_product(10, {}, {}, {}, dollars);
    const auto other = world.make_product(10);
    std::vector<reservation> batch;
    batch.push_back(world.sale(product, 7, 2, "key"));
    batch.push_back(world.sale(other, 7, 2, "key"));
    const auto made = world.reserve(std::move(batch));
    REQUIRE(word(made[0]) == "granted");
    REQUIRE(word(made[1]) == "granted");
    CHECK(made[1]->currency.is_none());
    CHECK(order_in(made[1]->event).currency.is_none());
    CHECK(order_in(made[0]->event).currency == dollars);
    CHECK(world.find_event(made[0]->id).value() == made[0]->event);

    const auto again = world.reserve_one(world.sale(product, 7, 2, "key"));
    REQUIRE(word(again) == "pending");
    REQUIRE(world.prune(*made[0]).has_value());
    const auto later = world.reserve_one(world.sale(product, 7, 2, "key"));
    REQUIRE(word(later) == "recorded");
    for (const decision& each : {made[0], again, later}) {
        CHECK(each->unit_price == 1'999);
        CHECK(each->currency == dollars);
    }
    const auto reduced = world.reserve_one(world.reduction(product, 1, "r"));
    REQUIRE(word(reduced) == "granted");
    CHECK(std::holds_alternative<events::stock_reduced>(*events::parse(reduced->event)));
}

TEST_CASE("gate: a product's payment window comes with its price, in whatever answers the key") {
    gate_world world(any());
    const auto product = world.make_product(10, {}, {}, {}, {}, 300);
    const auto outright = world.make_product(10);
    std::vector<reservation> batch;
    batch.push_back(world.sale(product, 7, 2, "key"));
    batch.push_back(world.sale(outright, 7, 2, "key"));
    const auto made = world.reserve(std::move(batch));
    REQUIRE(word(made[0]) == "granted");
    REQUIRE(word(made[1]) == "granted");
    CHECK(made[1]->payment_window_s == 0);
    CHECK(order_in(made[1]->event).payment_window_s == 0);
    CHECK(order_in(made[0]->event).payment_window_s == 300);
    CHECK(world.find_event(made[0]->id).value() == made[0]->event);
    CHECK(std::ranges::count(world.outbox(), made[0]->event) == 1);

    const auto again = world.reserve_one(world.sale(product, 7, 2, "key"));
    REQUIRE(word(again) == "pending");
    CHECK(again->event == made[0]->event);
    REQUIRE(world.prune(*made[0]).has_value());
    const auto later = world.reserve_one(world.sale(product, 7, 2, "key"));
    REQUIRE(word(later) == "recorded");
    for (const decision& each : {made[0], again, later}) {
        CHECK(each->unit_price == 1'999);
        CHECK(each->payment_window_s == 300);
    }
    const auto reduced = world.reserve_one(world.reduction(product, 1, "r"));
    REQUIRE(word(reduced) == "granted");
    const auto event = events::parse(reduced->event);
    REQUIRE(event.has_value());
    CHECK(std::get<events::stock_reduced>(*event).payment_window_s == 0);
}

TEST_CASE("redis gate: built anew, it answers a key with the payment window of its grant") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10, {}, {}, {}, *currency_code::parse("USD"), 300);
    const auto outright = world.make_product(10);
    const auto held = world.reserve_one(world.sale(product, 7, 2, "key")),
               sold = world.reserve_one(world.sale(outright, 7, 2, "key"));
    redis::options settings;
    settings.url = std::getenv("FLASHSALE_REDIS__URL");
    asio::io_context io;
    redis::client client(io, settings);
    client.start();
    while (!client.ready())
        io.run_one();
    redis_gate_options options;
    options.key_prefix = world.key_prefix();
    const uuid known[] = {world.levels(product)->token};
    gate_rebuild next(wait_on(io), client, 0, 2, uuid_generator().make(), options);
    REQUIRE(next.close(known) == gate_rebuild::closing::met);
    REQUIRE(next.begin() == true);
    std::vector<allocation> taken;
    for (const grant* one : {&*held, &*sold}) {
        const auto event = order_in(one->event);
        allocation& units = taken.emplace_back();
        units.order_id = event.id;
        units.product_id = event.product_id;
        units.user_id = event.user_id;
        units.quantity = event.quantity;
        units.unit_price = event.unit_price;
        units.currency = event.currency;
        units.payment_window_s = event.payment_window_s;
        units.idempotency_key = event.idempotency_key;
    }
    REQUIRE(next.load(taken, [](std::int64_t) { return counting{}; }));
    const gate_product products[] = {
        {product, 10, 1'999, {}, {}, {}, *currency_code::parse("USD"), 300},
        {outright, 10, 1'999, {}, {}, {}}};
    REQUIRE(next.load(products) == std::vector<std::int64_t>{8, 8});
    REQUIRE(next.open() == true);
    world.epochs().raise(0, 2);

    const auto again = world.reserve_one(world.sale(product, 7, 2, "key")),
               outright_again = world.reserve_one(world.sale(outright, 7, 2, "key"));
    REQUIRE(again.has_value());
    CHECK(again->id == held->id);
    CHECK(again->recorded);
    CHECK(again->currency.text() == "USD");
    CHECK(again->payment_window_s == 300);
    REQUIRE(outright_again.has_value());
    CHECK(outright_again->id == sold->id);
    CHECK(outright_again->payment_window_s == 0);
    const auto fresh = world.reserve_one(world.sale(product, 8, 1, "key"));
    REQUIRE(fresh.has_value());
    CHECK(fresh->payment_window_s == 300);
    CHECK(order_in(fresh->event).payment_window_s == 300);
    client.stop();
    io.restart();
    io.poll();
}
