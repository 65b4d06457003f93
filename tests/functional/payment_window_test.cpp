// How long a product's units are held for payment: told when it is made, and known to every gate.

#include <catch2/catch.hpp>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

http_response make(http_client& client, const json::value& window_s, const std::string& key = {}) {
    http_client::headers headers;
    if (!key.empty()) headers.emplace_back("Idempotency-Key", key);
    return client.post(
        "/v1/products",
        json::value{
            {"name", "Lamp"}, {"price", 1'999}, {"stock", 10}, {"payment_window_s", window_s}},
        headers);
}

json::value window_of(const http_response& answer) {
    return answer.json().at("payment_window_s");
}

std::string text(const http_response& answer, const char* member) {
    const auto body = answer.json();
    const auto* found = body.as_object().if_contains(member);
    return found != nullptr && found->is_string() ? std::string(found->as_string()) : "none";
}

}  // namespace

TEST_CASE("payment window: a product shows it, and its key has one") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    for (const std::int64_t window_s : {1, 300, 604'800}) {
        INFO(window_s);
        const auto made = make(client, window_s);
        REQUIRE(outcome(made) == "201");
        CHECK(window_of(made) == window_s);
        CHECK(window_of(client.get(made.header("location"))) == window_s);
    }
    const auto outright = make(client, nullptr);
    REQUIRE(outcome(outright) == "201");
    CHECK(window_of(outright).is_null());
    CHECK(window_of(client.get(outright.header("location"))).is_null());
    CHECK(
        window_of(client.get("/v1/products/" + std::to_string(make_product(client, 1)))).is_null());
    CHECK(client.get("/v1/products").body.find(R"("payment_window_s":300,)") != std::string::npos);

    CHECK(outcome(make(client, 300, "k")) == "201");
    const auto again = make(client, 300, "k");
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(window_of(again) == 300);
    CHECK(outcome(make(client, 301, "k")) == "422 idempotency_key_reused");
    CHECK(outcome(make(client, nullptr, "k")) == "422 idempotency_key_reused");
}

TEST_CASE("payment window: an order is held by it, and one of a product without is not") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto held = make(client, 3'600).json().at("id").as_int64();
    const auto outright = make(client, nullptr).json().at("id").as_int64();
    const auto accepted = place_order_and_know(client, user, held, 2, "k");
    REQUIRE(outcome(accepted) == "201");
    CHECK(text(accepted, "order_status") == "PENDING");
    CHECK(text(accepted, "expires_at") > text(accepted, "created_at"));
    const auto sold = place_order_and_know(client, user, outright, 2, "k");
    REQUIRE(outcome(sold) == "201");
    CHECK(text(sold, "order_status") == "SUCCESS");
    CHECK(text(sold, "expires_at") == "none");
    // Units that are taken out by hand wait for no payment.
    CHECK(outcome(client.post("/v1/products/" + std::to_string(held) + "/reduce-stock",
                              json::value{{"quantity", 1}})) == "200");
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM parked") == 0);
    CHECK(world.number(sandbox::database::order,
                       "SELECT count(*) FROM order_lives WHERE"
                       " payment_window_s = 3600") == 1);
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM order_lives") == 1);
}

TEST_CASE("payment window: a gate that is built anew knows it") {
    const sandbox world(with_gate(redis_or_memory()));
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto user = make_user(client, "u");
    const auto product = make(client, 3'600).json().at("id").as_int64();
    const auto accepted = place_order_and_know(client, user, product, 2, "k");
    REQUIRE(text(accepted, "order_status") == "PENDING");
    REQUIRE(audit_fault(world) == "");
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
    CHECK(replayed.header("idempotent-replayed") == "true");
    CHECK(order_id(replayed) == order_id(accepted));
    CHECK(text(replayed, "order_status") == "PENDING");
    CHECK(text(replayed, "expires_at") == text(accepted, "expires_at"));
    const auto fresh = place_order_and_know(again, user, product, 1, "another");
    CHECK(text(fresh, "order_status") == "PENDING");
    CHECK(text(fresh, "expires_at") > text(accepted, "expires_at"));
    CHECK(audit_fault(world) == "");
}
