// What a dead process, or a log that lost its data, leaves behind is finished without any client.

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

const environment quick{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                        {"FLASHSALE_RECOVERY__LEASE_MS", "1000"}};

environment with(environment base, const environment& more) {
    for (const auto& [key, value] : more)
        base[key] = value;
    return base;
}

std::int64_t orders_in(const sandbox& world) {
    return world.number(sandbox::database::order, "SELECT count(*) FROM orders");
}

std::int64_t metric_of(http_client& client, const std::string& name) {
    const std::string body = client.get("/metrics").body;
    const auto at = body.find("\nflashsale_" + name + " ");
    if (at == std::string::npos) throw std::runtime_error("no metric " + name);
    return std::stoll(body.substr(body.find(' ', at + 1)));
}

/// How often a barrier that is not recorded is sent in that time at most.
std::int64_t barriers_within(std::chrono::steady_clock::duration time) {
    std::int64_t sent = 1;
    for (auto wait = std::chrono::steady_clock::duration{2s}; time >= wait; wait *= 2) {
        time -= wait;
        ++sent;
    }
    return sent;
}

std::string product_key(const sandbox& world, std::int64_t product) {
    return "{" + world.name() + ":0}:1:p:" + std::to_string(product);
}

}  // namespace

TEST_CASE("reconciler: killed under load, no client asks again, every granted order is recorded") {
    const sandbox world(with(quick, {{"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "2000"}}));
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto product = make_product(client, 1'000'000);
    std::vector<std::int64_t> users;
    for (const auto user : make_users(client, 20))
        users.insert(users.end(), 2'000, user);
    // RabbitMQ 3.10 may lose a quorum queue that was declared a moment before its kill. This test
    // is about a queue that is there.
    std::this_thread::sleep_for(5s);
    // The broker does not read what it is sent, and then it is gone too: what is granted now, only
    // the outbox has.
    order_load load(*shop, users, product, 8);
    REQUIRE(eventually(60s, [&] { return load.seen("201") > 300; }));
    {
        outage deaf(stack::server::rabbitmq, outage::kind::stopped);
        const auto free = available(client, product);
        REQUIRE(eventually(60s, [&] { return available(client, product) < free; }));
        shop->kill(SIGKILL);
        REQUIRE(shop->wait(60s) == 128 + SIGKILL);
        outage dead(stack::server::rabbitmq, outage::kind::killed);
        dead.end();
        deaf.end();
    }
    const auto sent = load.stop();
    const flashsale_process next(world);
    client = next.client();
    const auto granted = [&] { return 1'000'000 - available(client, product); };
    CHECK(granted() > 300);
    const bool recorded = eventually(60s, [&] { return orders_in(world) == granted(); });
    INFO(next.log());
    CHECK(recorded);
    CHECK(metric_of(client, "reconcile_published_again_total") > 0);
    CHECK(audit_fault(world) == "");
    std::set<std::string> stored;
    for (const auto& row : world.sql(sandbox::database::order, "SELECT id FROM orders"))
        stored.insert(*row[0]);
    for (const auto& one : sent) {
        if (one.answer && one.answer->status == 201) CHECK(stored.contains(order_id(*one.answer)));
    }
}

TEST_CASE("reconciler: the queue and all in it deleted, every accepted order is recorded") {
    const sandbox world(quick);
    const environment no_recorder{{"FLASHSALE_RECORDER__ENABLED", "false"}};
    const flashsale_process shop(world, no_recorder);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    for (int i = 0; i < 30; ++i)
        REQUIRE(place_order(client, user, product, 1).status == 201);
    stack::rabbitmqctl({"delete_queue", world.name() + ".recorder"});
    const flashsale_process recorder(world);
    CHECK(eventually(60s, [&] { return orders_in(world) == 30; }));
    CHECK(audit_fault(world) == "");
}

TEST_CASE("reconciler: the queue deleted under load, twice: what reads it reads the next one") {
    const sandbox world(quick);
    std::vector<std::unique_ptr<flashsale_process>> shops;
    for (int i = 0; i < 3; ++i)
        shops.push_back(std::make_unique<flashsale_process>(world));
    auto client = shops[0]->client();
    const auto product = make_product(client, 1'000'000);
    std::vector<std::int64_t> users;
    for (const auto user : make_users(client, 20))
        users.insert(users.end(), 10'000, user);
    std::vector<std::unique_ptr<order_load>> loads;
    for (const auto& shop : shops)
        loads.push_back(std::make_unique<order_load>(*shop, users, product, 3));
    const auto accepted = [&] {
        std::size_t all = 0;
        for (const auto& load : loads)
            all += load->seen("201");
        return all;
    };
    for (int i = 0; i < 2; ++i) {
        const auto before = accepted();
        REQUIRE(eventually(60s, [&] { return accepted() > before + 200; }));
        stack::rabbitmqctl({"delete_queue", world.name() + ".recorder"});
    }
    const auto before = accepted();
    REQUIRE(eventually(60s, [&] { return accepted() > before + 200; }));
    std::set<std::string> answered;  // the same keys through each process
    for (const auto& load : loads) {
        for (const auto& one : load->stop()) {
            if (one.answer && one.answer->status == 201) answered.insert(order_id(*one.answer));
        }
    }
    const auto granted = [&] { return 1'000'000 - available(client, product); };
    const bool recorded = eventually(60s, [&] { return orders_in(world) == granted(); });
    CAPTURE(orders_in(world), granted(), shops[0]->log(), shops[1]->log(), shops[2]->log());
    CHECK(recorded);
    std::set<std::string> stored;
    for (const auto& row : world.sql(sandbox::database::order, "SELECT id FROM orders"))
        stored.insert(*row[0]);
    CHECK(std::ranges::includes(stored, answered));
    CHECK(audit_fault(world) == "");
}

TEST_CASE(
    "reconciler: a queue deleted while nothing comes: the next orders are recorded, and by "
    "anybody") {
    const bool two = GENERATE(false, true);
    INFO((two ? "two processes" : "one process"));
    const sandbox world(composition::stack, {}, deadlines::shipped);
    const flashsale_process shop(world);
    std::optional<flashsale_process> other;
    if (two) other.emplace(world);
    auto client = two ? other->client() : shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 1'000);
    // The more was delivered before, the more would be taken for what was delivered before.
    for (int i = 0; i < 20; ++i)
        REQUIRE(outcome(place_order(client, user, product, 1)) == "201");
    REQUIRE(eventually(60s, [&] { return orders_in(world) == 20; }));
    stack::rabbitmqctl({"delete_queue", world.name() + ".recorder"});
    CHECK(eventually(60s, [&] { return outcome(place_order(client, user, product, 1)) == "201"; }));
    CHECK(audit_fault(world) == "");
}

TEST_CASE("reconciler: a queue deleted while nobody reads is declared again, and orders go on") {
    const sandbox world(with(quick, {{"FLASHSALE_RECORDER__ENABLED", "false"}}));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    REQUIRE(place_order(client, user, product, 1).status == 201);
    stack::rabbitmqctl({"delete_queue", world.name() + ".recorder"});
    CHECK(eventually(180s,
                     [&] { return place_order(client, user, product, 1, "again").status == 201; }));
}

TEST_CASE(
    "reconciler: the first order that a deleted queue does not take has it made anew, at once") {
    // No pass comes round by itself, and no barrier.
    const sandbox world({{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "3600000"}});
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    REQUIRE(place_order(client, user, product, 1).status == 201);
    REQUIRE(eventually(60s, [&] { return orders_in(world) == 1; }));
    stack::rabbitmqctl({"delete_queue", world.name() + ".recorder"});
    CHECK(eventually(60s,
                     [&] { return place_order(client, user, product, 1, "again").status == 201; }));
    CHECK(metric_of(client, "gate_tokens_renewed_total") == 1);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("reconciler: a queue that refuses: unready, nothing is taken, then it sells on") {
    const sandbox world(quick);
    const flashsale_process shop(world, {{"FLASHSALE_RECORDER__ENABLED", "false"}});
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 1'000'000);
    REQUIRE(place_order(client, user, product, 1).status == 201);
    // Nothing is read, so the queue stays full.
    stack::rabbitmqctl({"set_policy", world.name(), "^" + world.name() + "\\.recorder$",
                        R"({"max-length":1})", "--apply-to", "queues"});
    const bool refuses_before = eventually(60s, [&] {
        return place_order(client, user, product, 1).body.find("dependency_unavailable") !=
               std::string::npos;
    });
    const bool unready = eventually(60s, [&] {
        place_order(client, user, product, 1);
        const auto ready = client.get("/readyz");
        return ready.status == 503 &&
               ready.body.find("refuses what is published") != std::string::npos;
    });
    stack::rabbitmqctl({"clear_policy", world.name()});
    // What it reads makes the queue look at its policy again.
    const flashsale_process recorder(world);
    CAPTURE(shop.log(), recorder.log());
    CHECK(refuses_before);
    CHECK(unready);
    CHECK(
        eventually(60s, [&] { return place_order(client, user, product, 1, "k").status == 201; }));
    CHECK(eventually(60s, [&] { return client.get("/readyz").status == 200; }));
    CHECK(eventually(60s,
                     [&] { return orders_in(world) == 1'000'000 - available(client, product); }));
    CHECK(audit_fault(world) == "");
}

TEST_CASE("reconciler: what is only slow is not published again") {
    const sandbox world(quick);
    std::int64_t product = 0, user = 0;
    {
        const flashsale_process shop(world, {{"FLASHSALE_RECORDER__ENABLED", "false"}});
        auto client = shop.client();
        user = make_user(client, "u");
        product = make_product(client, 1'000);
        const auto begun = std::chrono::steady_clock::now();
        for (int i = 0; i < 100; ++i)
            REQUIRE(place_order(client, user, product, 1).status == 201);
        // Many passes, and nothing is recorded: one barrier, which is sent again after two seconds,
        // and after twice as long each time, and nothing else.
        REQUIRE(
            eventually(60s, [&] { return metric_of(client, "reconcile_barriers_total") >= 2; }));
        const auto barriers = metric_of(client, "reconcile_barriers_total");
        CHECK(barriers <= barriers_within(std::chrono::steady_clock::now() - begun));
        CHECK(metric_of(client, "reconcile_published_again_total") == 0);
        const flashsale_process recorder(world);
        CHECK(eventually(60s, [&] { return orders_in(world) == 100; }));
        CHECK(audit_fault(world) == "");
        CHECK(metric_of(client, "reconcile_published_again_total") == 0);
    }
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM late") == 0);
}

TEST_CASE(
    "reconciler: a barrier that nobody records makes the process unready, until it is recorded") {
    const sandbox world(with(quick, {{"FLASHSALE_RECOVERY__BARRIER_PATIENCE_MS", "500"}}));
    const flashsale_process shop(world, {{"FLASHSALE_RECORDER__ENABLED", "false"}});
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    CHECK(client.get("/readyz").status == 200);
    REQUIRE(place_order(client, user, product, 1).status == 201);
    CHECK(eventually(60s, [&] { return client.get("/readyz").status == 503; }));
    CHECK(client.get("/readyz?verbose").body.find("not being recorded") != std::string::npos);
    const flashsale_process recorder(world);
    CHECK(eventually(60s, [&] { return client.get("/readyz").status == 200; }));
}

TEST_CASE("reconciler: a product and a restock that only the database knows come to the gate") {
    const sandbox world(quick);
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto known = make_product(client, 10);
    // As when a process dies between the database and the gate.
    world.sql(sandbox::database::stock,
              "INSERT INTO products (name, price, supplied, stock) VALUES ('Lamp', 5, 7, 7);"
              "INSERT INTO movements (id, product_id, delta, kind) SELECT gen_random_uuid(), id, 7,"
              " 'initial' FROM products WHERE supplied = 7;"
              "INSERT INTO movements (id, product_id, delta, kind) VALUES (gen_random_uuid(), " +
                  std::to_string(known) +
                  ", 5, 'restock');"
                  "UPDATE products SET supplied = supplied + 5, stock = stock + 5 WHERE id = " +
                  std::to_string(known));
    const auto made =
        world.number(sandbox::database::stock, "SELECT id FROM products WHERE supplied = 7");
    CHECK(eventually(60s, [&] { return available(client, known) == 15; }));
    CHECK(eventually(60s,
                     [&] { return outcome(place_order(client, user, made, 7, "made")) == "201"; }));
    CHECK(outcome(place_order(client, user, made, 1)) == "400 out_of_stock");
    CHECK(outcome(place_order(client, user, known, 15)) == "201");
    CHECK(stack::redis_cli({"HGET", product_key(world, known), "supplied"}).starts_with("15"));
    CHECK(audit_fault(world) == "");
}

TEST_CASE("reconciler: three at once do no more than one") {
    const sandbox world(quick);
    std::optional<flashsale_process> first(std::in_place, world);
    const flashsale_process second(world), third(world);
    auto client = first->client();
    const auto product = make_product(client, 100'000);
    std::vector<std::int64_t> users;
    for (const auto user : make_users(client, 20))
        users.insert(users.end(), 2'000, user);
    order_load load(*first, users, product, 8);
    REQUIRE(eventually(60s, [&] { return load.seen("201") > 300; }));
    first->kill(SIGKILL);
    REQUIRE(first->wait(60s) == 128 + SIGKILL);
    load.stop();
    client = second.client();
    CHECK(
        eventually(60s, [&] { return orders_in(world) == 100'000 - available(client, product); }));
    CHECK(audit_fault(world) == "");
}
