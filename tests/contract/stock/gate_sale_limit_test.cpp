// A limit over all products of a sale, on each gate.

#include <catch2/catch.hpp>

#include <flashsale/stock/returns.hpp>

#include "gate_world.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

constexpr std::int64_t autumn = 3;

std::string word(const decision& made) {
    if (!made) return std::string(name_of(made.error()));
    return !made->repeat ? "granted" : made->recorded ? "recorded" : "pending";
}

/// Two products of a sale.
struct sale_world {
    explicit sale_world(adapter kind, std::int64_t limit, std::optional<std::int64_t> own = {})
        : world(kind) {
        for (const auto product : {one, two}) {
            gate_product what;
            what.id = product;
            what.supplied = 10;
            what.price = 1'999;
            what.revision = 2;
            what.per_user_limit = product == one ? own : std::nullopt;
            what.sale_id = autumn;
            what.sale_limit = limit;
            REQUIRE(world.change(what).has_value());
            terms.push_back(what);
        }
    }

    decision reserve(std::int64_t product, std::int64_t user, std::int64_t units, std::string key) {
        return world.reserve_one(world.sale(product, user, units, std::move(key)));
    }

    gate_world world;
    std::int64_t one = world.make_product(10), two = world.make_product(10);
    std::vector<gate_product> terms;
};

}  // namespace

TEST_CASE("gate: a limit over a sale counts a buyer's units of all of its products") {
    sale_world sale(GENERATE(adapter::redis, adapter::database, adapter::memory), 4, 3);
    CHECK(word(sale.reserve(sale.one, 7, 2, "a")) == "granted");
    CHECK(word(sale.reserve(sale.two, 7, 1, "b")) == "granted");
    const auto refused = sale.reserve(sale.two, 7, 2, "c");
    REQUIRE(word(refused) == "purchase_limit");
    CHECK(refused.error().left == 1);
    CHECK(sale.reserve(sale.one, 8, 4, "own").error().left == 3);
    CHECK(word(sale.reserve(sale.one, 8, 3, "d")) == "granted");
    CHECK(sale.reserve(sale.two, 8, 2, "e").error().left == 1);
    CHECK(word(sale.reserve(sale.one, 7, 2, "a")) == "pending");
    CHECK(word(sale.world.reserve_one(sale.world.reduction(sale.two, 3, "r"))) == "granted");
    CHECK(sale.world.available(sale.one) == 5);
    CHECK(sale.world.available(sale.two) == 6);
}

TEST_CASE("gate: a limit over a sale holds within a batch") {
    sale_world sale(GENERATE(adapter::redis, adapter::memory), 3);
    std::vector<reservation> batch;
    batch.push_back(sale.world.sale(sale.one, 7, 2, "a"));
    batch.push_back(sale.world.sale(sale.two, 7, 2, "b"));
    batch.push_back(sale.world.sale(sale.two, 8, 2, "b"));
    batch.push_back(sale.world.sale(sale.two, 7, 1, "c"));
    batch.push_back(sale.world.sale(sale.one, 7, 1, "d"));
    const auto made = sale.world.reserve(std::move(batch));
    CHECK(word(made[0]) == "granted");
    CHECK(word(made[1]) == "purchase_limit");
    CHECK(word(made[2]) == "granted");
    CHECK(word(made[3]) == "granted");
    CHECK(word(made[4]) == "purchase_limit");
}

TEST_CASE("gate: returned units are no longer counted over the sale, each once") {
    sale_world sale(GENERATE(adapter::redis, adapter::memory), 3);
    REQUIRE(word(sale.reserve(sale.one, 7, 2, "a")) == "granted");
    REQUIRE(word(sale.reserve(sale.two, 7, 1, "b")) == "granted");
    auto returned = sale.terms.front();
    returned.supplied = 12;
    for (int twice = 0; twice < 2; ++twice)
        REQUIRE(sale.world.take_returns({{returned}, {{sale.one, 7, 2, autumn}}}).has_value());
    CHECK(sale.reserve(sale.two, 7, 3, "c").error().left == 2);
    CHECK(word(sale.reserve(sale.two, 7, 2, "c")) == "granted");
    CHECK(word(sale.reserve(sale.one, 7, 1, "d")) == "purchase_limit");
    // Higher from now on.
    auto higher = sale.terms.back();
    higher.revision = 3;
    higher.sale_limit = 5;
    REQUIRE(sale.world.change(higher).has_value());
    CHECK(word(sale.reserve(sale.two, 7, 2, "e")) == "granted");
}

TEST_CASE("gate: two products of a sale do not sell a buyer more than its limit at once") {
    std::function<void(std::int64_t)> between;
    gate_world world(adapter::database, 1'000, [&between](std::int64_t product) {
        if (auto once = std::exchange(between, {})) once(product);
    });
    const auto one = world.make_product(10), two = world.make_product(10);
    for (const auto product : {one, two}) {
        gate_product what;
        what.id = product;
        what.price = 1'999;
        what.revision = 2;
        what.sale_id = autumn;
        what.sale_limit = 3;
        REQUIRE(world.change(what).has_value());
    }
    std::vector<reservation> batch;
    batch.push_back(world.sale(one, 7, 2, "a"));
    batch.push_back(world.sale(two, 7, 2, "b"));
    const auto made = world.reserve(std::move(batch));
    CHECK(made[0].has_value() != made[1].has_value());
    CHECK(*world.available(one) + *world.available(two) == 18);
}
