// What a product is sold by changes at a gate: each gate takes the newest revision, and no older
// one.

#include <catch2/catch.hpp>

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

gate_product terms(std::int64_t id, std::int64_t revision) {
    gate_product out;
    out.id = id;
    out.supplied = 10;
    out.price = 1'999;
    out.revision = revision;
    return out;
}

}  // namespace

TEST_CASE("gate: what is granted goes by the newest revision, and keeps the price it was had at") {
    gate_world world(any());
    const auto product = world.make_product(10, 3);
    const auto reserve = [&](std::int64_t user, std::int64_t units, std::string key) {
        return world.reserve_one(world.sale(product, user, units, std::move(key)));
    };
    REQUIRE(reserve(7, 2, "first")->unit_price == 1'999);

    auto second = terms(product, 2);
    second.price = 2'500;
    second.per_user_limit = 1;
    REQUIRE(world.change(second).has_value());
    CHECK(reserve(7, 1, "second").error().code == errc::purchase_limit);
    CHECK(reserve(7, 1, "second").error().left == 0);
    CHECK(reserve(8, 1, "third")->unit_price == 2'500);
    const auto again = reserve(7, 2, "first");
    REQUIRE(word(again) == "pending");
    CHECK(again->unit_price == 1'999);
    CHECK(order_in(again->event).unit_price == 1'999);

    auto fourth = terms(product, 4);
    fourth.per_user_limit = 5;
    fourth.sale_ends_at = wall_clock_now() - std::chrono::minutes{1};
    REQUIRE(world.change(fourth).has_value());
    CHECK(word(reserve(7, 3, "fourth")) == "sale_over");
    auto fifth = terms(product, 5);
    fifth.per_user_limit = 5;
    REQUIRE(world.change(fifth).has_value());
    CHECK(word(reserve(7, 3, "fourth")) == "granted");
    CHECK(world.levels(product)->products.front()->revision == 5);
    CHECK(world.available(product) == 4);
}

TEST_CASE("gate: an older revision that comes late changes nothing but adds its units") {
    gate_world world(GENERATE(adapter::redis, adapter::memory));
    const auto product = world.make_product(10);
    auto newer = terms(product, 3);
    newer.price = 300;
    REQUIRE(world.give(newer).has_value());
    for (const std::int64_t revision : {1, 2, 3}) {
        auto late = terms(product, revision);
        late.price = 100 * revision + 1;
        late.halted = halt::ended;
        late.supplied = 10 + revision;
        REQUIRE(world.give(late).has_value());
        CHECK(world.available(product) == 10 + revision);
    }
    CHECK(world.reserve_one(world.sale(product, 7, 1, "key"))->unit_price == 300);
    CHECK(world.levels(product)->products.front()->revision == 3);
}

TEST_CASE("gate: a halt refuses all but what was granted before, and goes again") {
    gate_world world(any());
    const auto product = world.make_product(10, {}, wall_clock_now() - std::chrono::hours{1});
    REQUIRE(word(world.reserve_one(world.sale(product, 7, 1, "first"))) == "granted");
    std::int64_t revision = 1;
    for (const auto& [why, code] : {std::pair{halt::paused, errc::sale_paused},
                                    {halt::ended, errc::sale_ended},
                                    {halt::archived, errc::product_archived}}) {
        auto halted = terms(product, ++revision);
        halted.halted = why;
        halted.sale_starts_at = wall_clock_now() - std::chrono::hours{1};
        REQUIRE(world.change(halted).has_value());
        std::vector<reservation> batch;
        batch.push_back(world.sale(product, 8, 1, "another"));
        batch.push_back(world.sale(product, 7, 1, "first"));
        batch.push_back(world.sale(product, 9, 1, "another"));
        const auto made = world.reserve(std::move(batch));
        CHECK(made[0].error().code == code);
        CHECK(word(made[1]) == "pending");
        CHECK(made[2].error().code == code);
        CHECK(word(world.reserve_one(world.sale(product, 7, 2, "first"))) ==
              "idempotency_key_reused");
    }
    REQUIRE(world.change(terms(product, ++revision)).has_value());
    CHECK(word(world.reserve_one(world.sale(product, 8, 1, "another"))) == "granted");
    CHECK(world.available(product) == 8);
}

TEST_CASE("gate: a limit comes or goes before the first grant alone, else only that is refused") {
    gate_world world(GENERATE(adapter::redis, adapter::memory));
    const bool was_limited = GENERATE(false, true);
    const auto product =
        world.make_product(10, was_limited ? std::optional<std::int64_t>(2) : std::nullopt);
    auto other = terms(product, 2);
    if (!was_limited) other.per_user_limit = 2;
    REQUIRE(world.give(other).has_value());
    CHECK(word(world.reserve_one(world.sale(product, 7, 3, "key"))) ==
          (was_limited ? "granted" : "purchase_limit"));
    REQUIRE(word(world.reserve_one(world.sale(product, 7, 1, "one"))) == "granted");
    const auto left = *world.available(product);

    auto back = terms(product, 3);
    back.per_user_limit = was_limited ? std::optional<std::int64_t>(2) : std::nullopt;
    back.price = 5;
    back.supplied = 11;
    const auto told = world.give(back);
    REQUIRE_FALSE(told.has_value());
    CHECK(told.error() == errc::already_granted);
    CHECK(world.levels(product)->products.front()->revision == 2);
    CHECK(world.available(product) == left + 1);
    CHECK(world.reserve_one(world.sale(product, 8, 1, "two"))->unit_price == 1'999);
    // A return brings the same terms, and is taken.
    CHECK(world.take_returns({{back}, {}}).has_value());
}

TEST_CASE("gate: what was never granted can be deleted, and is unknown from then on") {
    gate_world world(any());
    const auto product = world.make_product(10);
    auto deleted = terms(product, 2);
    deleted.halted = halt::deleted;
    REQUIRE(world.change(deleted).has_value());
    CHECK(word(world.reserve_one(world.sale(product, 7, 1, "key"))) == "product_not_found");
    CHECK(word(world.reserve_one(world.reduction(product, 1, "key"))) == "product_not_found");
}

TEST_CASE("gate: what was granted is not deleted") {
    gate_world world(GENERATE(adapter::redis, adapter::memory));
    const auto product = world.make_product(10);
    REQUIRE(word(world.reserve_one(world.sale(product, 7, 1, "key"))) == "granted");
    auto deleted = terms(product, 2);
    deleted.halted = halt::deleted;
    const auto told = world.give(deleted);
    REQUIRE_FALSE(told.has_value());
    CHECK(told.error() == errc::already_granted);
    CHECK(word(world.reserve_one(world.sale(product, 8, 1, "key"))) == "granted");
}

TEST_CASE("gate: a change is not acknowledged by a gate older than the record was") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    auto change = terms(product, 2);
    change.epoch = world.epochs().get(0) + 1;
    const auto told = world.give(change);
    REQUIRE_FALSE(told.has_value());
    CHECK(told.error() == errc::rebuilding);
}

TEST_CASE("gate: a product of the version before takes the first revision that comes") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    const auto key = "{" + world.key_prefix() + ":0}:1:p:" + std::to_string(product);
    world.redis_command({"HDEL", key, "revision"});
    CHECK(world.levels(product)->products.front()->revision == 0);
    auto change = terms(product, 1);
    change.price = 5;
    REQUIRE(world.give(change).has_value());
    CHECK(world.reserve_one(world.sale(product, 8, 1, "key"))->unit_price == 5);
}
