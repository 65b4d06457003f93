// What the Redis gate alone has to do: not to trust data that is not what it was opened on.

#include <catch2/catch.hpp>

#include "gate_world.hpp"
#include "stack.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

errc refusal(const decision& made) {
    REQUIRE_FALSE(made.has_value());
    return made.error();
}

/// No log is there.
std::expected<void, std::string> bound(const uuid&) {
    return {};
}

std::string header_of(const gate_world& world) {
    return "{" + world.key_prefix() + ":0}:gate";
}

}  // namespace

TEST_CASE("redis gate: without a header it is closed, for every script") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    stack::redis_cli({"DEL", header_of(world)});
    CHECK(refusal(world.reserve_one(world.sale(product, 1, 1, "key"))) == errc::reopening);
    CHECK(world.give({product, 100, 1'999, {}, {}, {}}).error() == errc::reopening);
    CHECK(world.levels(product).error() == errc::reopening);
    CHECK(world.find_event(uuid{}).error() == errc::reopening);
    CHECK_FALSE(world.gate().check().has_value());
}

TEST_CASE("redis gate: a header of another incarnation is no header") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    REQUIRE(world.reserve_one(world.sale(product, 1, 1, "key")).has_value());
    const std::string incarnation = stack::redis_cli({"HGET", header_of(world), "incarnation"});
    stack::redis_cli({"HSET", header_of(world), "incarnation", "another"});
    CHECK(refusal(world.reserve_one(world.sale(product, 2, 1, "key"))) == errc::reopening);
    stack::redis_cli(
        {"HSET", header_of(world), "incarnation", incarnation.substr(0, incarnation.find('\n'))});
    CHECK(world.reserve_one(world.sale(product, 2, 1, "key")).has_value());
    CHECK(world.available(product) == 8);
}

TEST_CASE("redis gate: a caller of an older generation is refused until it knows the new one") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    stack::redis_cli({"HSET", header_of(world), "generation", "2"});
    // It learns the generation from the refusal; the new generation has no such product.
    CHECK(refusal(world.reserve_one(world.sale(product, 1, 1, "key"))) == errc::product_not_found);
    CHECK(world.generations().get(0) == 2);
    stack::redis_cli({"HSET", header_of(world), "generation", "1"});
    // A gate older than what the caller knows was rolled back.
    CHECK(refusal(world.reserve_one(world.sale(product, 1, 1, "key"))) == errc::reopening);
}

TEST_CASE("redis gate: opening is for shards that were never open, and may be repeated") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    redis::options settings;
    settings.url = std::getenv("FLASHSALE_REDIS__URL");
    asio::io_context io;
    redis::client client(io, settings);
    client.start();
    while (!client.ready())
        io.run_one();
    redis_gate_options options;
    options.key_prefix = world.key_prefix();
    shard_generations seen(1);
    open_new_shards(io, world.stock_database(), {&client}, seen, options, bound);
    CHECK(seen.get(0) == 1);
    CHECK(world.reserve_one(world.sale(product, 1, 1, "key")).has_value());
    CHECK(world.available(product) == 9);
    // Lost: whoever starts now must not open an empty gate in its place.
    stack::redis_cli({"DEL", header_of(world)});
    open_new_shards(io, world.stock_database(), {&client}, seen, options, bound);
    CHECK(refusal(world.reserve_one(world.sale(product, 2, 1, "key"))) == errc::reopening);
    client.stop();
    io.restart();
    io.poll();
}

TEST_CASE("redis gate: a product that was evicted is not made anew") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    REQUIRE(world.reserve_one(world.sale(product, 1, 10, "key")).has_value());
    stack::redis_cli({"DEL", "{" + world.key_prefix() + ":0}:1:p:" + std::to_string(product)});
    CHECK(world.give({product, 11, 1'999, {}, {}, {}}).error() == errc::reopening);
    CHECK(refusal(world.reserve_one(world.sale(product, 2, 1, "key"))) == errc::product_not_found);
}

TEST_CASE("redis gate: one seq for each grant, dense, in the order of the grants") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(100);
    for (int round = 0; round < 5; ++round) {
        std::vector<reservation> batch;
        for (int i = 0; i < 7; ++i) {
            batch.push_back(world.sale(product, round * 7 + i + 1, i % 2 == 0 ? 1 : 1'000, "key"));
        }
        world.reserve(std::move(batch));
    }
    const auto levels = world.levels(product);
    REQUIRE(levels.has_value());
    CHECK(levels->seq == 20);
    CHECK(levels->products[0]->free == 80);
    CHECK(world.outbox().size() == 20);
}
