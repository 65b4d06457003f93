// What users and products are called, and what a product costs.

#include <catch2/catch.hpp>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;

TEST_CASE("names: a username is one in every case and form, shown as given, and found") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto make = [&](const std::string& name, const std::string& key) {
        return client.post("/v1/users", json::value{{"username", name}},
                           {{"Idempotency-Key", key}});
    };
    const auto made = make("Zo\u00eb & Co", "1");
    REQUIRE(outcome(made) == "201");
    CHECK(outcome(make("ZO\u00cb & CO", "2")) == "409 username_taken");
    CHECK(outcome(make("zoe\u0308 & co", "3")) == "409 username_taken");
    CHECK(outcome(make("\uff3ao\u00eb  & Co", "4")) == "409 username_taken");
    CHECK(outcome(make("Zoe & Co", "5")) == "201");
    CHECK(make("Zo\u00eb & Co", "1").header("idempotent-replayed") == "true");

    const auto list_of = [&](const std::string& query) {
        const auto answer = client.get("/v1/users" + query);
        CHECK(answer.header("cache-control") == "private, no-cache");
        return answer.body;
    };
    const std::string found = R"({"items":[)" + made.body + R"(],"next_cursor":null})";
    CHECK(list_of("?username=Zo%C3%AB%20%26%20Co") == found);
    CHECK(list_of("?username=ZO%c3%8b+%26+co") == found);
    CHECK(list_of("?username=nobody") == R"({"items":[],"next_cursor":null})");
    for (const char* wrong : {"", "?username", "?username=", "?username=%", "?username=%4",
                              "?username=%zz", "?username=%ff", "?username=a%00b"}) {
        INFO(wrong);
        const auto answer = client.get(std::string("/v1/users") + wrong);
        CHECK(outcome(answer) == "400 bad_request");
        CHECK(answer.json().at("field") == "username");
    }
    CHECK(outcome(client.get("/v1/users?username=a&username=b")) == "400 bad_request");
}

TEST_CASE("names: limits count characters, and a product's name may be a picture") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto repeated = [](std::string_view text, int times) {
        std::string out;
        for (; times > 0; --times)
            out += text;
        return out;
    };
    const auto user = [&](const std::string& name) {
        return outcome(client.post("/v1/users", json::value{{"username", name}}));
    };
    const auto product = [&](const std::string& name) {
        return client.post("/v1/products", json::value{{"name", name}, {"price", 1}, {"stock", 1}});
    };
    CHECK(user(repeated("\U0001f600", 100)) == "201");
    CHECK(user(repeated("\u00e9", 101)) == "400 bad_request");
    CHECK(outcome(product(repeated("\U0001f600", 200))) == "201");
    CHECK(outcome(product(repeated("\u00e9", 201))) == "400 bad_request");

    const std::string family = "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f";
    const auto made = product(family);
    REQUIRE(outcome(made) == "201");
    CHECK(made.json().at("name").as_string() == family);
}

TEST_CASE("names: a price of 0 is a price") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 5, {.price = 0});
    const auto accepted = place_order(client, user, product, 2, "k");
    REQUIRE(outcome(accepted) == "201");
    CHECK(accepted.json().at("unit_price").as_int64() == 0);
    CHECK(place_order(client, user, product, 2, "k").body == accepted.body);
    CHECK(is_shown(client, accepted));
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT sum(unit_price) FROM orders") == 0);
    CHECK(is_shown(client, accepted));
}
