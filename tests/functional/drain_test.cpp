// SIGTERM with an order in hand that the broker does not confirm.

#include <catch2/catch.hpp>

#include <future>

#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

/// Asked to go, and gone no further than to wait for an order whose confirm does not come.
struct draining_shop {
    sandbox world;
    flashsale_process shop;
    http_client idle = shop.client();
    std::future<http_response> in_flight;
    std::optional<outage> silent;

    /// The order in hand is given up after `confirm_deadline`: what a test looks at before that has
    /// so much time.
    explicit draining_shop(std::chrono::milliseconds confirm_deadline)
        : world(
              {{"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", std::to_string(confirm_deadline.count())},
               {"FLASHSALE_AMQP__CONFIRM_TIMEOUT_MS", "60000"},
               {"FLASHSALE_PROCESS__DRAIN_TIMEOUT_MS", "120000"}}),
          shop(world) {
        auto client = shop.client();
        const auto user = make_user(client, "u");
        const auto product = make_product(client, 10);
        REQUIRE(outcome(place_order(client, user, product, 1)) == "201");
        REQUIRE(idle.get("/readyz").status == 200);
        silent.emplace(stack::server::rabbitmq, outage::kind::stopped);
        in_flight = std::async(std::launch::async, [user, product, own = shop.client()]() mutable {
            return place_order(own, user, product, 1, "in-flight");
        });
        REQUIRE(eventually(60s, [&] { return available(client, product) == 8; }));
        client.close();
        shop.kill(SIGTERM);
        REQUIRE(eventually(60s, [&] { return !lets_in(); }));
    }

    bool lets_in() const {
        try {
            shop.client().get("/livez");
            return true;
        } catch (const std::runtime_error&) {
            return false;
        }
    }
};

}  // namespace

TEST_CASE("SIGTERM: nobody new is let in or told that it is ready, who is inside is answered") {
    draining_shop it(8s);
    REQUIRE(it.shop.running());
    unsigned ready = 0;
    try {
        ready = it.idle.get("/readyz").status;
    } catch (const std::runtime_error&) {
    }
    CHECK((ready == 0 || ready == 503));
    CHECK_FALSE(it.lets_in());
    CHECK(outcome(it.in_flight.get()) == "503 outcome_unknown");
    it.silent->end();
    CHECK(it.shop.wait(60s) == 0);
}

TEST_CASE("SIGTERM twice: the second one does not wait for anything") {
    draining_shop it(60s);
    REQUIRE(it.shop.running());
    it.shop.kill(SIGTERM);
    CHECK(it.shop.wait(20s) == 128 + SIGTERM);
    CHECK_THROWS(it.in_flight.get());
}
