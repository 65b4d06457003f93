// A process that changes what is sold dies between the record and the gate: others finish it.

#include <catch2/catch.hpp>

#include "held_orders.hpp"
#include "sales.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

const environment quick{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"}};

/// As a process leaves it that dies right after that.
void record(const sandbox& world, const std::string& statement) {
    (void)world.sql(sandbox::database::stock, statement);
}

}  // namespace

TEST_CASE("terms: what is recorded of a change reaches the gate without its process") {
    const sandbox world(quick);
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto product = make_product(client, 100, {.price = 10});
    record(world, "UPDATE products SET price = 20, revision = revision + 1, version = version + 1");
    int asked = 0;
    CHECK(eventually(30s, [&] {
        const auto placed = place_order(client, user, product, 1, "k" + std::to_string(++asked));
        return outcome(placed) == "201" && placed.json().at("unit_price").as_int64() == 20;
    }));
    CHECK(audit_fault(world) == "");
}

TEST_CASE("terms: a pause that was recorded of a sale alone reaches its products and the gate") {
    const sandbox world(quick);
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto sale = make_sale(client, R"({"name":"Autumn"})");
    const auto product = make_product_of(client, sale, 100);
    record(world, "UPDATE sales SET state = 'paused', revision = revision + 1");
    int asked = 0;
    CHECK(eventually(30s, [&] {
        return outcome(place_order(client, user, product, 1, "k" + std::to_string(++asked))) ==
               "409 sale_paused";
    }));
    CHECK(client.get(product_path(product)).json().at("revision").as_int64() == 2);
}

TEST_CASE("terms: a limit that the gate refuses goes from the record again without its process") {
    const sandbox world(quick);
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto product = make_product(client, 100);
    REQUIRE(outcome(place_order(client, user, product, 3, "first")) == "201");
    record(world,
           "UPDATE products SET per_user_limit = 1, undo_limit = 0, revision = revision + 1,"
           " version = version + 1");
    CHECK(eventually(30s, [&] {
        const auto shown = client.get(product_path(product)).json();
        return shown.at("per_user_limit").is_null() && shown.at("revision").as_int64() == 3;
    }));
    CHECK(outcome(place_order(client, user, product, 3, "second")) == "201");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("terms: a gate that is built anew sells by the newest") {
    const sandbox world(quick);
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto sale = make_sale(client, R"({"name":"Autumn","per_user_limit":3})");
    const auto one = make_product_of(client, sale, 100), two = make_product_of(client, sale, 100);
    const auto paused = make_product_of(client, make_sale(client, R"({"name":"Winter"})"), 100);
    REQUIRE(
        outcome(client.post(
            sale_path(client.get(product_path(paused)).json().at("sale_id").as_int64(), "/pause"),
            "{}")) == "200");
    REQUIRE(outcome(patch(client, product_path(one), R"({"price":55})")) == "200");
    REQUIRE(outcome(place_order(client, user, one, 2, "a")) == "201");
    const auto cancelled = place_order(client, user, two, 1, "b");
    REQUIRE(outcome(cancelled) == "201");
    REQUIRE(outcome(cancel(client, order_id(cancelled))) == "200");
    stack::redis_cli({"FLUSHALL"});
    REQUIRE(eventually(
        60s, [&] { return outcome(place_order(client, user, paused, 1)) == "409 sale_paused"; }));
    const auto placed = place_order(client, user, one, 1, "c");
    REQUIRE(outcome(placed) == "201");
    CHECK(placed.json().at("unit_price").as_int64() == 55);
    CHECK(outcome(place_order(client, user, two, 1, "d")) == "409 purchase_limit");
    CHECK(audit_fault(world) == "");
}
