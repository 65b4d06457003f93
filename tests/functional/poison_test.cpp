// What is in the queue and cannot be recorded is set aside with its reason; the rest goes on.

#include <catch2/catch.hpp>
#include <flashsale/events/event.hpp>

#include "publish.hpp"
#include "shop.hpp"

using namespace flashsale::test;
using flashsale::events::order_accepted;

TEST_CASE(
    "poison: is parked with its reason, once, and the good events of its message are recorded") {
    // One of the events is none of the gate's: the reconciler would have it rebuilt.
    const sandbox world({{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "60000"}});
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    const auto accepted = place_order(client, user, product, 1, "taken-key");
    REQUIRE(outcome(accepted) == "201");
    REQUIRE(audit_fault(world) == "");

    flashsale::uuid_generator make;
    order_accepted good;
    good.id = make.make();
    good.user_id = user;
    good.product_id = product;
    good.quantity = 1;
    good.idempotency_key = "good";
    good.created_at = good.id.time();
    good.epoch = 1;
    good.seq = 1'000;
    order_accepted twin = good;
    twin.id = make.make();
    twin.idempotency_key = "taken-key";
    order_accepted stranger = good;
    stranger.id = make.make();
    stranger.idempotency_key = "stranger";
    stranger.product_id = product + 50;
    order_accepted refused = good;  // the database's own rule: no NUL in a text
    refused.id = make.make();
    refused.idempotency_key = "refused";
    refused.quantity = 99'999;  // more than there is

    const std::string body = "[" + text_of(good) + R"(,{"poison":true},)" + text_of(twin) + "," +
                             text_of(stranger) + "," + text_of(refused) + "]";
    publish(world, body);
    publish(world, body);
    publish(world, "these bytes are no JSON");
    const auto after = place_order(client, user, product, 1, "after");
    REQUIRE(outcome(after) == "201");

    REQUIRE(eventually(std::chrono::seconds{60}, [&] {
        return world.number(
                   sandbox::database::order,
                   "SELECT count(*) FROM orders WHERE idempotency_key IN ('good', 'after')") == 2;
    }));
    // What the stock database refuses is parked after the orders of its batch are there.
    REQUIRE(eventually(std::chrono::seconds{60}, [&] {
        return world.number(sandbox::database::order, "SELECT count(*) FROM parked") == 4;
    }));
    const auto parked = world.sql(sandbox::database::order,
                                  "SELECT event_id, event, reason FROM parked ORDER BY reason");
    REQUIRE(parked.size() == 4);
    const auto reason_of = [&](const std::string& part) {
        for (const auto& row : parked) {
            if (row[1]->find(part) != std::string::npos) return *row[2];
        }
        return std::string("not parked");
    };
    CHECK(reason_of("taken-key") == "another order has its idempotency key");
    CHECK(reason_of("\"poison\":true").starts_with("version"));
    CHECK(reason_of("\"stranger\"").find("no product") != std::string::npos);
    CHECK(reason_of("\"refused\"").find("products_stock_not_negative") != std::string::npos);
    CHECK(eventually(std::chrono::seconds{60}, [&] {
        return stack::rabbitmqctl({"list_queues", "name", "messages"})
                   .find(world.name() + ".dead\t1") != std::string::npos;
    }));
}
