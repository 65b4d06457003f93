#include <catch2/catch.hpp>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

TEST_CASE(
    "the databases stopped: 201s go on, GET answers them, and after their restart all are stored "
    "once") {
    const sandbox world;
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto users = make_users(client, 50);
    const auto product = make_product(client, 100);
    for (const auto user : users) {
        REQUIRE(outcome(place_order(client, user, product, 1)) == "201");  // known from here on
    }
    std::vector<http_response> accepted;
    {
        outage down(stack::server::postgres, outage::kind::shut_down);
        for (const auto user : users) {
            accepted.push_back(place_order(client, user, product, 1, "during-the-outage"));
            REQUIRE(outcome(accepted.back()) == "201");
            const auto read = client.get("/v1/orders/" + order_id(accepted.back()));
            CHECK(read.status == 200);
            CHECK(read.body == accepted.back().body);
        }
        CHECK(outcome(place_order(client, users[0], product, 1)) == "400 out_of_stock");
        CHECK(client.get("/readyz").status == 200);
        const auto again = place_order(client, users[7], product, 1, "during-the-outage");
        CHECK(again.body == accepted[7].body);
        down.end();
    }
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 100);
    CHECK(world.number(sandbox::database::stock,
                       "SELECT count(*) FROM movements WHERE kind = 'sale'") == 100);
    // The recorder's connections may be back before those that answer GET.
    CHECK(eventually(
        60s, [&] { return client.get("/v1/orders/" + order_id(accepted[0])).status == 200; }));
    for (const auto& one : accepted) {
        CHECK(is_shown(client, one));
    }
}

TEST_CASE("a 201 is readable from the first instant, with no writer at work") {
    const sandbox world({{"FLASHSALE_RECORDER__ENABLED", "false"}});
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "reader");
    const auto product = make_product(client, 10);
    const auto accepted = place_order(client, user, product, 2);
    REQUIRE(outcome(accepted) == "201");
    const auto read = client.get(accepted.header("location"));
    CHECK(read.status == 200);
    CHECK(read.body == accepted.body);
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 0);
    // Another process, with a writer, records it.
    const flashsale_process writer(world, {{"FLASHSALE_RECORDER__ENABLED", "true"}});
    CHECK(audit_fault(world) == "");
    CHECK(client.get(accepted.header("location")).body == accepted.body);
}

TEST_CASE("redis forgets its scripts: nobody notices") {
    const sandbox world;
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    for (int i = 0; i < 20; ++i) {
        stack::redis_cli({"SCRIPT", "FLUSH"});
        CHECK(outcome(place_order(client, user, product, 1)) == "201");
    }
    CHECK(audit_fault(world) == "");
}

TEST_CASE(
    "redis stopped: an answer comes in time, unknown is called unknown, and the key settles it") {
    // Nothing but the timeout of the reply ends the wait within the client's patience of 30 s.
    const sandbox world({{"FLASHSALE_REDIS__REPLY_TIMEOUT_MS", "2000"},
                         {"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "60000"}});
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    REQUIRE(outcome(place_order(client, user, product, 1)) == "201");
    http_response answer;
    {
        outage down(stack::server::redis, outage::kind::stopped);
        answer = place_order(client, user, product, 1, "stalled");
        CHECK(outcome(answer) == "503 outcome_unknown");
        CHECK(answer.header("idempotency-key") == "stalled");
        CHECK_FALSE(answer.header("retry-after").empty());
        down.end();
    }
    CHECK(eventually(60s, [&] {
        answer = place_order(client, user, product, 1, "stalled");
        return answer.status == 201;
    }));
    CHECK(available(client, product) == 98);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("the broker down: refused before reserving, and it sells again by itself") {
    const sandbox world;
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    REQUIRE(outcome(place_order(client, user, product, 1)) == "201");
    // RabbitMQ 3.10 may lose a quorum queue that was declared in the last second or two before its
    // kill: it comes back without a leader. This test is about a queue that is there.
    std::this_thread::sleep_for(5s);
    {
        outage down(stack::server::rabbitmq, outage::kind::killed);
        CHECK(eventually(60s, [&] { return client.get("/readyz").status == 503; }));
        CHECK(outcome(place_order(client, user, product, 1)) == "503 dependency_unavailable");
        CHECK(available(client, product) == 99);
        down.end();
    }
    // Until the broker's queue has found itself again an outcome may be unknown: the key settles
    // it.
    CHECK(eventually(
        60s, [&] { return outcome(place_order(client, user, product, 1, "again")) == "201"; }));
    CHECK(available(client, product) == 98);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 2);
}

TEST_CASE("connections to redis cut again and again: no outbox entry stays behind") {
    const sandbox world;
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto product = make_product(client, 1'000'000);
    std::vector<std::int64_t> users;
    for (const auto user : make_users(client, 20))
        users.insert(users.end(), 10'000, user);
    order_load load(shop, users, product);
    for (int i = 0; i < 5; ++i) {
        const auto before = load.seen("201");
        REQUIRE(eventually(60s, [&] { return load.seen("201") > before + 300; }));
        stack::redis_cli({"CLIENT", "KILL", "TYPE", "normal"});
    }
    const auto sent = load.stop();
    // What is unknown, its key settles; then nothing is left on its way.
    for (const auto& one : sent) {
        if (!one.answer || one.answer->status == 201) continue;
        CHECK(eventually(
            60s, [&] { return place_order(client, one.user, product, 1, one.key).status == 201; }));
    }
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") ==
          static_cast<std::int64_t>(sent.size()));
}

TEST_CASE("SIGTERM as soon as it listens: it drains and exits with 0") {
    const sandbox world(with_gate(redis_or_memory()));
    for (int i = 0; i < 5; ++i) {
        flashsale_process shop(world);
        CHECK(shop.terminate() == 0);
    }
}

TEST_CASE("SIGTERM while another process sells: it does not wait for the queue to be empty") {
    const sandbox world({{"FLASHSALE_PROCESS__DRAIN_TIMEOUT_MS", "600000"}});
    flashsale_process recording(world);
    auto setup = recording.client();
    const auto product = make_product(setup, 1'000'000);
    std::vector<std::int64_t> users;
    for (const auto user : make_users(setup, 20))
        users.insert(users.end(), 50'000, user);
    const flashsale_process selling(world);
    order_load load(selling, users, product);
    REQUIRE(eventually(60s, [&] { return load.seen("201") > 500; }));
    // Nothing can be recorded. One that waited for the queue to be empty would do so for ten
    // minutes.
    std::optional<table_lock> orders(std::in_place, world.url(sandbox::database::order), "orders");
    CHECK(recording.terminate() == 0);
    orders.reset();
    const auto at_its_end = load.seen("201");
    CHECK(eventually(60s, [&] { return load.seen("201") > at_its_end; }));
    load.stop();
    CHECK(audit_fault(world) == "");
}

TEST_CASE("SIGTERM under load: what was accepted is recorded, and the exit code is 0") {
    const sandbox world(with_gate(redis_or_memory()));
    flashsale_process shop(world);
    auto client = shop.client();
    const auto product = make_product(client, 1'000'000);
    std::vector<std::int64_t> users;
    for (const auto user : make_users(client, 20))
        users.insert(users.end(), 2'000, user);
    order_load load(shop, users, product);
    REQUIRE(eventually(60s, [&] { return load.seen("201") > 500; }));
    CHECK(shop.terminate() == 0);
    std::size_t accepted = 0;
    for (const auto& one : load.stop())
        accepted += one.answer && one.answer->status == 201;
    const flashsale_process next(world);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") >=
          static_cast<std::int64_t>(accepted));
}
