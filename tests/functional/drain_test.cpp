// SIGTERM with an order in hand that the broker does not confirm.

#include <catch2/catch.hpp>

#include <future>

#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

struct draining_shop {
    sandbox world;
    flashsale_process shop{world};
    http_client idle = shop.client();
    std::future<http_response> in_flight;
    std::optional<outage> silent;

    draining_shop() {
        auto client = shop.client();
        const auto user = make_user(client, "u");
        const auto product = make_product(client, 10);
        REQUIRE(outcome(place_order(client, user, product, 1)) == "201");
        REQUIRE(idle.get("/readyz").status == 200);
        silent.emplace(stack::server::rabbitmq, outage::kind::stopped);
        in_flight = std::async(std::launch::async, [user, product, own = shop.client()]() mutable {
            return place_order(own, user, product, 1, "in-flight");
        });
        std::this_thread::sleep_for(300ms);
        shop.kill(SIGTERM);
        std::this_thread::sleep_for(200ms);
    }
};

}  // namespace

TEST_CASE("SIGTERM: nobody new is let in or told that it is ready, who is inside is answered") {
    draining_shop it;
    REQUIRE(it.shop.running());
    unsigned ready = 0;
    try {
        ready = it.idle.get("/readyz").status;
    } catch (const std::runtime_error&) {
    }
    CHECK((ready == 0 || ready == 503));
    CHECK_THROWS(it.shop.client().get("/livez"));
    CHECK(outcome(it.in_flight.get()) == "503 outcome_unknown");
    it.silent->end();
    CHECK(it.shop.wait(20s) == 0);
}

TEST_CASE("SIGTERM twice: the second one does not wait for anything") {
    draining_shop it;
    REQUIRE(it.shop.running());
    it.shop.kill(SIGTERM);
    CHECK(it.shop.wait(1s) == 128 + SIGTERM);
    CHECK_THROWS(it.in_flight.get());
}
