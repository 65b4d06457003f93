// The process dies, or its queue is gone: a 201 is kept, and the key settles what is unknown.

#include <catch2/catch.hpp>

#include <set>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

TEST_CASE("killed under load: what was accepted is recorded once, and the key settles the rest") {
    const sandbox world(with_gate(redis_or_memory()));
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto product = make_product(client, 1'000'000);
    std::vector<std::int64_t> users;
    for (const auto user : make_users(client, 20))
        users.insert(users.end(), 2'000, user);
    order_load load(*shop, users, product, 8);
    REQUIRE(eventually(60s, [&] { return load.seen("201") > 500; }));
    shop->kill(SIGKILL);
    REQUIRE(shop->wait(60s) == 128 + SIGKILL);
    const auto sent = load.stop();

    shop.emplace(world);
    client = shop->client();
    std::set<std::string> accepted;
    std::size_t unanswered = 0;
    for (const auto& one : sent) {
        if (one.answer && one.answer->status == 201) {
            accepted.insert(order_id(*one.answer));
            continue;
        }
        ++unanswered;
        CHECK(outcome(place_order(client, one.user, product, 1, one.key)) == "201");
    }
    CHECK(unanswered > 0);
    CHECK(audit_fault(world) == "");
    const auto stored = world.sql(sandbox::database::order, "SELECT id FROM orders");
    CHECK(stored.size() == sent.size());
    for (const auto& row : stored)
        accepted.erase(*row[0]);
    CHECK(accepted.empty());
}

TEST_CASE("killed with a batch in hand that no database took: the next process records it") {
    const sandbox world;
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto users = make_users(client, 20);
    const auto product = make_product(client, 100);
    for (const auto user : users) {
        REQUIRE(outcome(place_order(client, user, product, 1)) == "201");  // known from here on
    }
    REQUIRE(audit_fault(world) == "");
    {
        outage down(stack::server::postgres, outage::kind::shut_down);
        for (const auto user : users) {
            REQUIRE(outcome(place_order(client, user, product, 1, "during-the-outage")) == "201");
        }
        REQUIRE(eventually(60s, [&] {
            return client.get("/metrics").body.find("flashsale_recorder_retries_total 0\n") ==
                   std::string::npos;
        }));
        shop->kill(SIGKILL);
        REQUIRE(shop->wait(60s) == 128 + SIGKILL);
        down.end();
    }
    shop.emplace(world);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 40);
}

TEST_CASE("the queue deleted: what nobody will record is unknown, and the key settles it") {
    const sandbox world;
    // A recorder would declare the queue again, and so would a reconcile. What comes back makes
    // this process look at once, and give its gate another way into the log.
    const flashsale_process shop(world, {{"FLASHSALE_RECORDER__ENABLED", "false"},
                                         {"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "3600000"}});
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    REQUIRE(outcome(place_order(client, user, product, 1, "lost-with-the-queue")) == "201");
    stack::rabbitmqctl({"delete_queue", world.name() + ".recorder"});
    const auto answer = place_order(client, user, product, 1, "no-queue");
    CHECK(outcome(answer) == "503 outcome_unknown");
    CHECK_FALSE(answer.header("retry-after").empty());
    const auto again = outcome(place_order(client, user, product, 1, "no-queue"));
    CHECK((again == "503 outcome_unknown" || again == "503 rebuilding" || again == "201"));
    CHECK(available(client, product) == 8);

    const flashsale_process writer(world);
    for (const char* key : {"no-queue", "lost-with-the-queue"}) {
        CHECK(eventually(
            60s, [&] { return outcome(place_order(client, user, product, 1, key)) == "201"; }));
    }
    CHECK(available(client, product) == 8);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 2);
}
