// What an amount is in: the deployment's currency, or a product's own.

#include <catch2/catch.hpp>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

http_response make(http_client& client, const json::value& currency, const std::string& key = {}) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!key.empty()) headers.emplace_back("Idempotency-Key", key);
    return client.post(
        "/v1/products",
        json::value{{"name", "Lamp"}, {"price", 1'999}, {"stock", 10}, {"currency", currency}},
        headers);
}

std::string currency_of(const http_response& answer) {
    const auto body = answer.json();
    const auto* found = body.as_object().if_contains("currency");
    return found != nullptr ? std::string(found->as_string()) : outcome(answer);
}

/// All that was accepted is in the databases, and all sums hold.
void record_all(const sandbox& world) {
    REQUIRE(audit_fault(world) == "");
}

}  // namespace

TEST_CASE("currency: an order is in its product's, wherever it is read from") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto plain = make(client, nullptr), dollars = make(client, "USD");
    CHECK(currency_of(plain) == "EUR");
    CHECK(currency_of(dollars) == "USD");
    CHECK(currency_of(client.get(dollars.header("location"))) == "USD");
    CHECK(client.get("/v1/products").body.find(R"("price":1999,"currency":"USD",)") !=
          std::string::npos);

    for (const auto& [product, currency] : {std::pair{&plain, "EUR"}, {&dollars, "USD"}}) {
        INFO(currency);
        const auto id = product->json().at("id").as_int64();
        const auto accepted = place_order(client, user, id, 2, "k");
        REQUIRE(outcome(accepted) == "201");
        CHECK(currency_of(accepted) == currency);
        CHECK(accepted.json().at("unit_price").as_int64() == 1'999);
        const auto as_accepted = [&] {
            return place_order(client, user, id, 2, "k").body == accepted.body &&
                   is_shown(client, accepted);
        };
        CHECK(as_accepted());
        record_all(world);
        CHECK(as_accepted());
        CHECK(
            client.get("/v1/users/" + std::to_string(user) + "/orders").body.find(accepted.body) !=
            std::string::npos);
    }
    CHECK(world.number(sandbox::database::order,
                       "SELECT count(*) FROM orders WHERE currency = 'USD'") == 1);
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM parked") == 0);
}

TEST_CASE("currency: a gate that is built anew knows it") {
    const sandbox world(with_gate(redis_or_memory()));
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto user = make_user(client, "u");
    const auto product = make(client, "JPY").json().at("id").as_int64();
    const auto accepted = place_order(client, user, product, 2, "k");
    REQUIRE(currency_of(accepted) == "JPY");
    record_all(world);
    if (world.kind() == composition::stack) {
        const auto rebuilt = world.rebuild();
        CAPTURE(rebuilt.output);
        REQUIRE(rebuilt.exit_code == 0);
    } else {
        shop.reset();
        shop.emplace(world);
    }
    auto again = shop->client();
    const auto replayed = place_order_and_know(again, user, product, 2, "k");
    CHECK(replayed.body == accepted.body);
    CHECK(replayed.header("idempotent-replayed") == "true");
    CHECK(currency_of(place_order_and_know(again, user, product, 1, "another")) == "JPY");
    record_all(world);
    CHECK(world.number(sandbox::database::order,
                       "SELECT count(*) FROM orders WHERE currency = 'JPY'") == 2);
}

TEST_CASE("currency: what is no currency of today is refused, and a key has one") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    for (const json::value& wrong :
         {json::value(""), json::value("usd"), json::value("US"), json::value("USDX"),
          json::value("DEM"), json::value("XTS"), json::value(978), json::value("\u20ac")}) {
        INFO(wrong);
        const auto answer = make(client, wrong);
        CHECK(outcome(answer) == "400 bad_request");
        CHECK(answer.json().at("field") == "currency");
    }
    CHECK(world.number(sandbox::database::stock, "SELECT count(*) FROM products") == 0);
    CHECK(outcome(make(client, "USD", "k")) == "201");
    CHECK(make(client, "USD", "k").header("idempotent-replayed") == "true");
    CHECK(outcome(make(client, "CHF", "k")) == "422 idempotency_key_reused");
}

TEST_CASE("currency: the deployment has one, which all processes share and a person corrects") {
    using enum sandbox::database;
    const sandbox world(with_gate("redis"));
    {
        flashsale_process shop(world);
        auto client = shop.client();
        CHECK(currency_of(make(client, nullptr)) == "EUR");
        CHECK(shop.terminate() == 0);
    }
    CHECK(world.sql(stock, "SELECT value FROM deployment WHERE name = 'stock.currency'")[0][0] ==
          "EUR");
    const auto with = [&](const char* currency) {
        environment all = world.variables();
        all["FLASHSALE_HTTP__PORT"] = "0";
        all["FLASHSALE_STOCK__CURRENCY"] = currency;
        return run({flashsale_binary(), "serve", "--config", stack_config()}, all);
    };
    const auto other = with("USD"), none = with("usd");
    CHECK(other.exit_code == 3);
    CHECK(other.output.find("stock.currency = EUR, this process USD") != std::string::npos);
    CHECK(none.exit_code == 2);
    CHECK(none.output.find("FLASHSALE_STOCK__CURRENCY") != std::string::npos);

    CHECK(world.flashsale({"deployment", "set", "stock.currency", "usd"}).exit_code == 2);
    // A process that has just ended may still have its lease.
    CHECK(eventually(60s, [&] {
        return world.flashsale({"deployment", "set", "stock.currency", "USD"}).exit_code == 0;
    }));
    flashsale_process shop(world, {{"FLASHSALE_STOCK__CURRENCY", "USD"}});
    auto client = shop.client();
    CHECK(currency_of(make(client, nullptr)) == "USD");
    CHECK(currency_of(client.get("/v1/products/1")) == "USD");
}
