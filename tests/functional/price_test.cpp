// What an order costs: as its client expects, and exactly.

#include <catch2/catch.hpp>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;

namespace {

http_response place(http_client& client, std::int64_t user, std::int64_t product,
                    std::int64_t quantity, const json::value& expected, const std::string& key) {
    return client.post("/v1/orders",
                       json::value{{"user_id", user},
                                   {"product_id", product},
                                   {"quantity", quantity},
                                   {"expected_unit_price", expected}},
                       {{"Idempotency-Key", key}});
}

}  // namespace

TEST_CASE("price: an order is refused if it is higher than expected, and nothing is taken") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 5);
    const auto price =
        client.get("/v1/products/" + std::to_string(product)).json().at("price").as_int64();

    const auto refused = place(client, user, product, 1, price - 1, "a");
    CHECK(outcome(refused) == "409 price_changed");
    CHECK(refused.json().at("unit_price") == price);
    CHECK(outcome(place(client, user, product, 1, price, "a")) == "201");
    CHECK(outcome(place(client, user, product, 1, price + 1, "b")) == "201");
    CHECK(outcome(place(client, user, product, 1, nullptr, "c")) == "201");
    const auto again = place(client, user, product, 1, 0, "a");
    CHECK(outcome(again) == "201");
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(client.get("/v1/products/" + std::to_string(product)).json().at("available") == 2);

    for (const json::value& wrong : {json::value(-1), json::value("1"), json::value(1.5),
                                     json::value(std::int64_t{1} << 53)}) {
        const auto answer = place(client, user, product, 1, wrong, "d");
        CHECK(outcome(answer) == "400 bad_request");
        CHECK(answer.json().at("field") == "expected_unit_price");
    }
    CHECK(audit_fault(world) == "");
}

TEST_CASE("price: an order whose total would not be exact is refused") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    constexpr std::int64_t most = (std::int64_t{1} << 53) - 1;
    const auto made =
        client.post("/v1/products", json::value{{"name", "Palace"}, {"price", most}, {"stock", 3}});
    REQUIRE(outcome(made) == "201");
    const auto product = made.json().at("id").as_int64();
    CHECK(outcome(place_order(client, user, product, 2, "a")) == "422 total_too_high");
    CHECK(outcome(place_order(client, user, product, 4, "a")) == "400 out_of_stock");
    CHECK(outcome(place_order(client, user, product, 1, "a")) == "201");
    CHECK(audit_fault(world) == "");
}
