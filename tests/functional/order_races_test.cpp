#include <catch2/catch.hpp>

#include <set>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;

namespace {

/// 20 users, one order each, all at the same moment, on a product of 10.
std::vector<http_response> twenty_on_ten(const flashsale_process& shop, std::int64_t& product) {
    auto client = shop.client();
    const auto users = make_users(client, 20);
    product = make_product(client, 10);
    return parallel(20, [&](std::size_t i) {
        auto own = shop.client();
        own.get("/livez");
        return place_order(own, users[i], product, 1);
    });
}

}  // namespace

TEST_CASE("20 parallel orders on a stock of 10: exactly 10 accepted, 10 out of stock") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    std::int64_t product = 0;
    const auto answers = twenty_on_ten(shop, product);
    CHECK(count(answers, "201") == 10);
    CHECK(count(answers, "400 out_of_stock") == 10);
    auto client = shop.client();
    CHECK(available(client, product) == 0);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 10);
    CHECK(world.number(sandbox::database::stock, "SELECT stock FROM products") == 0);
}

TEST_CASE(
    "20 parallel orders on a stock of 10, database gate: never more than 10, and stock = 10 - "
    "accepted") {
    const sandbox world({{"FLASHSALE_STOCK__GATE", "database"}});
    const flashsale_process shop(world);
    std::int64_t product = 0;
    const auto answers = twenty_on_ten(shop, product);
    const auto accepted = count(answers, "201");
    CHECK(accepted >= 1);
    CHECK(accepted <= 10);
    CHECK(accepted + count(answers, "400 out_of_stock") + count(answers, "409 high_traffic") == 20);
    CHECK(world.number(sandbox::database::stock, "SELECT stock FROM products") ==
          10 - static_cast<std::int64_t>(accepted));
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") ==
          static_cast<std::int64_t>(accepted));
}

TEST_CASE("100 twins of one key at once: one order, one id, 100 equal answers") {
    const std::string gate = every_gate();
    const bool database_gate = gate == "database";
    INFO(gate);
    const sandbox world(with_gate(gate));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "twin");
    const auto product = make_product(client, 1'000);
    const auto answers = parallel(100, [&](std::size_t) {
        auto own = shop.client();
        own.get("/livez");
        return place_order(own, user, product, 3, "one-key");
    });
    // Under the database gate a twin may lose three races; the same key then finds the order.
    std::set<std::string> bodies;
    std::size_t replayed = 0;
    for (auto answer : answers) {
        for (int again = 0; database_gate && answer.status == 409 && again < 100; ++again) {
            answer = place_order(client, user, product, 3, "one-key");
        }
        REQUIRE(outcome(answer) == "201");
        CHECK(answer.header("idempotency-key") == "one-key");
        bodies.insert(answer.body);
        if (answer.header("idempotent-replayed") == "true") ++replayed;
    }
    CHECK(bodies.size() == 1);
    CHECK(replayed == 99);
    CHECK(available(client, product) == 997);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 1);
}

TEST_CASE("twins of one key through two processes: one order") {
    const sandbox world;
    const flashsale_process first(world), second(world);
    auto client = first.client();
    const auto user = make_user(client, "twin");
    const auto product = make_product(client, 10);
    const auto answers = parallel(100, [&](std::size_t i) {
        auto own = (i % 2 == 0 ? first : second).client();
        return place_order(own, user, product, 1, "one-key");
    });
    std::set<std::string> bodies;
    for (const auto& answer : answers) {
        REQUIRE(outcome(answer) == "201");
        bodies.insert(answer.body);
    }
    CHECK(bodies.size() == 1);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 1);
}

TEST_CASE("the limit per user under 50 parallel orders of one user: never above") {
    const std::string gate = every_gate();
    const sandbox world(with_gate(gate));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "greedy");
    const auto product = make_product(client, 1'000, {.per_user_limit = 7});
    const auto answers = parallel(50, [&](std::size_t) {
        auto own = shop.client();
        return place_order(own, user, product, 2);
    });
    const auto accepted = count(answers, "201");
    if (gate != "database") CHECK(accepted == 3);
    CHECK(accepted <= 3);
    CHECK(accepted + count(answers, "409 purchase_limit") + count(answers, "409 high_traffic") ==
          50);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT coalesce(sum(quantity), 0) FROM orders") ==
          static_cast<std::int64_t>(2 * accepted));
}

TEST_CASE("a repeat after the sale is over gets its order, not a refusal") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process first(world);
    // Embedded there is no other process to ask.
    std::optional<flashsale_process> second;
    if (world.kind() == composition::stack) second.emplace(world);
    auto client = first.client();
    const auto users = make_users(client, 3);
    const auto product = make_product(client, 2, {.per_user_limit = 1});
    const auto bought = place_order(client, users[0], product, 1, "mine");
    REQUIRE(outcome(bought) == "201");
    REQUIRE(outcome(place_order(client, users[1], product, 1)) == "201");
    REQUIRE(outcome(place_order(client, users[2], product, 1)) == "400 out_of_stock");
    for (const bool recorded : {false, true}) {
        if (recorded) REQUIRE(audit_fault(world) == "");
        auto other = (second ? *second : first).client();
        const auto again = place_order(other, users[0], product, 1, "mine");
        CHECK(outcome(again) == "201");
        CHECK(again.body == bought.body);
        CHECK(again.header("idempotent-replayed") == "true");
    }
    CHECK(outcome(place_order(client, users[0], product, 2, "mine")) ==
          "422 idempotency_key_reused");
    CHECK(outcome(place_order(client, users[0], product, 1, "new")) == "409 purchase_limit");
    CHECK(outcome(place_order(client, users[2], product, 1, "mine")) == "400 out_of_stock");
}

TEST_CASE(
    "a restock and orders on the last units, from two processes: never below zero, nothing "
    "stranded") {
    const sandbox world;
    const flashsale_process first(world), second(world);
    auto client = first.client();
    const auto users = make_users(client, 60);
    const auto product = make_product(client, 10);
    const std::string restock = "/v1/products/" + std::to_string(product) + "/restock";
    const auto answers = parallel(64, [&](std::size_t i) {
        auto own = (i % 2 == 0 ? first : second).client();
        // Four restocks of 5 under two keys, so that each counts once, among sixty orders.
        if (i >= 60) {
            return own.post(restock, json::value{{"quantity", 5}},
                            {{"Idempotency-Key", i < 62 ? "a" : "b"}});
        }
        return place_order(own, users[i], product, 1);
    });
    CHECK(count(answers, "200") == 4);
    std::size_t accepted = count(answers, "201");
    CHECK(accepted + count(answers, "400 out_of_stock") == 60);
    const auto left = available(client, product);
    CHECK(left >= 0);
    CHECK(static_cast<std::int64_t>(accepted) + left == 20);
    for (std::int64_t i = 0; i < left; ++i) {
        CHECK(outcome(place_order(client, users[0], product, 1)) == "201");
        ++accepted;
    }
    CHECK(outcome(place_order(client, users[0], product, 1)) == "400 out_of_stock");
    CHECK(accepted == 20);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 20);
    CHECK(world.number(sandbox::database::stock, "SELECT stock FROM products") == 0);
}

TEST_CASE("ids, stock and quantities near 2^53 come through the script exactly") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    constexpr std::int64_t most = 9'007'199'254'740'991;  // 2^53 - 1
    if (world.kind() == composition::stack) {
        world.sql(sandbox::database::user,
                  "ALTER TABLE users ALTER COLUMN id RESTART WITH 9223372036854775806");
        world.sql(sandbox::database::stock,
                  "ALTER TABLE products ALTER COLUMN id RESTART WITH 9007199254740993");
    } else {
        // The next id is the one after the largest.
        world.sql(sandbox::database::user,
                  "INSERT INTO users (id, username, balance, created_at)"
                  " VALUES (9223372036854775805, 'last but two', 0, 0)");
        world.sql(sandbox::database::stock,
                  "INSERT INTO products (id, name, price, supplied, stock, created_at)"
                  " VALUES (9007199254740992, 'Nothing', 0, 0, 0, 0)");
    }
    const auto user = make_user(client, "last but one");
    REQUIRE(user == 9'223'372'036'854'775'806);
    const auto product = make_product(client, most, {.price = 1});
    REQUIRE(product == 9'007'199'254'740'993);
    CHECK(available(client, product) == most);

    const auto accepted = place_order(client, user, product, most - 2);
    REQUIRE(outcome(accepted) == "201");
    CHECK(accepted.json().at("quantity").as_int64() == most - 2);
    CHECK(available(client, product) == 2);
    CHECK(outcome(place_order(client, user, product, 3)) == "400 out_of_stock");
    CHECK(outcome(place_order(client, user, product, 1)) == "201");
    CHECK(available(client, product) == 1);
    const auto dear = place_order(client, user, make_product(client, 1, {.price = most}), 1);
    REQUIRE(outcome(dear) == "201");
    CHECK(dear.json().at("unit_price").as_int64() == most);
    CHECK(audit_fault(world) == "");
    CHECK(is_shown(client, dear));
    CHECK(world.number(sandbox::database::order, "SELECT max(quantity) FROM orders") == most - 2);
    CHECK(world.number(sandbox::database::order, "SELECT min(user_id) FROM orders") == user);
    CHECK(world.number(sandbox::database::stock, "SELECT max(stock) FROM products") == 1);
    CHECK(is_shown(client, accepted));

    // 2^53 itself is the first quantity that a double cannot tell from its neighbour.
    CHECK(place_order(client, user, product, most + 1).status == 400);
    const auto restock = client.post("/v1/products/" + std::to_string(product) + "/restock",
                                     json::value{{"quantity", 1}});
    CHECK(restock.status == 400);
}
