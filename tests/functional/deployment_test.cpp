// What all processes agree on: when it is noted, and how it is changed.

#include <catch2/catch.hpp>

#include "shop.hpp"

using namespace flashsale::test;
using enum sandbox::database;

namespace {

bool says(const finished& what, std::string_view part) {
    return what.output.find(part) != std::string::npos;
}

finished serve(const sandbox& world, const environment& other) {
    auto variables = world.variables();
    variables["FLASHSALE_HTTP__PORT"] = "0";
    variables["FLASHSALE_PROCESS__START_TIMEOUT_MS"] = "300";
    for (const auto& [name, value] : other)
        variables[name] = value;
    return run({flashsale_binary(), "serve", "--config", stack_config()}, variables);
}

}  // namespace

TEST_CASE("deployment: a start that some server did not answer has noted nothing") {
    const sandbox world;
    const std::string redis = std::getenv("FLASHSALE_REDIS__URL");
    for (const auto& [name, value] :
         environment{{"FLASHSALE_AMQP__URL", "amqp://u:p@127.0.0.1:1/%2f"},
                     {"FLASHSALE_POSTGRES__ORDER_URL", "postgresql://127.0.0.1:1/x"},
                     {"FLASHSALE_REDIS__URL", redis + ",redis://127.0.0.1:1/0"}}) {
        CAPTURE(name);
        environment two{{"FLASHSALE_REDIS__URL", redis + "," + redis}};
        two[name] = value;
        CHECK(serve(world, two).exit_code == 3);
        CHECK(world.number(stock, "SELECT count(*) FROM deployment") == 0);
        CHECK(world.number(stock, "SELECT count(*) FROM shards") == 0);
    }
    const flashsale_process one_shard(world);
    CHECK(says(world.flashsale({"deployment", "show"}), "redis.shards = 1\n"));
}

TEST_CASE("deployment: a value is changed on purpose, while no process runs") {
    const sandbox world({{"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "2000"}});
    const auto set = [&](const char* name, const char* value) {
        return world.flashsale({"deployment", "set", name, value});
    };
    CHECK(says(set("orders.confirm_deadline_ms", "1000"), "nothing is noted by this name"));
    {
        flashsale_process shop(world);
        auto client = shop.client();
        const auto user = make_user(client, "u");
        CHECK(outcome(place_order(client, user, make_product(client, 5), 1)) == "201");
        const auto refused = set("orders.confirm_deadline_ms", "1000");
        CHECK(refused.exit_code == 1);
        CHECK(says(refused, "end all processes first"));
        CHECK(shop.terminate() == 0);
    }
    const auto changed = set("orders.confirm_deadline_ms", "1000");
    CAPTURE(changed.output);
    CHECK(changed.exit_code == 0);
    CHECK(says(changed, "orders.confirm_deadline_ms = 1000, and was 2000"));
    CHECK(says(world.flashsale({"deployment", "show"}), "orders.confirm_deadline_ms = 1000\n"));

    const auto old = serve(world, {});
    CHECK(old.exit_code == 3);
    CHECK(says(old, "flashsale deployment"));
    flashsale_process shop(world, {{"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "1000"}});
    CHECK(shop.terminate() == 0);
}

TEST_CASE("deployment: a process that was cut off counts, until its lease has run out") {
    const sandbox world;
    {
        flashsale_process shop(world);
        CHECK(shop.terminate() == 0);
    }
    world.sql(stock, "UPDATE shards SET lease_until = now() + interval '1 hour'");
    const auto refused = world.flashsale({"deployment", "set", "amqp.prefetch_messages", "64"});
    CHECK(refused.exit_code == 1);
    CHECK(says(refused, "lease"));
    world.sql(stock, "UPDATE shards SET lease_until = now() - interval '1 second'");
    CHECK(world.flashsale({"deployment", "set", "amqp.prefetch_messages", "64"}).exit_code == 0);
}

TEST_CASE(
    "deployment: where units are kept can be changed until there are some, and bad values never") {
    const sandbox world;
    {
        flashsale_process shop(world);
        CHECK(shop.terminate() == 0);
    }
    const auto set = [&](const char* name, const char* value) {
        return world.flashsale({"deployment", "set", name, value});
    };
    for (const auto& [name, value] : {std::pair{"orders.confirm_deadline_ms", "soon"},
                                      {"orders.confirm_deadline_ms", "1"},
                                      {"redis.shards", "0"},
                                      {"stock.gate", "memory"},
                                      {"amqp.prefetch_messages", "+5"}}) {
        CAPTURE(name, value);
        CHECK(set(name, value).exit_code == 2);
    }
    CHECK(set("redis.shards", "2").exit_code == 0);
    CHECK(set("redis.shards", "1").exit_code == 0);
    {
        flashsale_process shop(world);
        auto client = shop.client();
        make_product(client, 5);
        CHECK(shop.terminate() == 0);
    }
    const auto refused = set("redis.shards", "2");
    CHECK(refused.exit_code == 1);
    CHECK(says(refused, "there are products"));
}

TEST_CASE(
    "deployment: a gate that was Redis, rebuilt, and is the database now: orders are recorded") {
    // Its last process may have died in the middle.
    const bool in_the_middle = GENERATE(false, true);
    const sandbox world({{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                         {"FLASHSALE_RECOVERY__LEASE_MS", "1000"}});
    {
        flashsale_process shop(world);
        auto client = shop.client();
        stack::redis_cli({"DEL", "{" + world.name() + ":0}:gate"});
        CHECK(eventually(std::chrono::seconds(60), [&] {
            return world.number(stock, "SELECT epoch FROM shards") == 2 &&
                   world.number(stock, "SELECT count(*) FROM shards WHERE state = 'open'") == 1 &&
                   client.get("/readyz").status == 200;
        }));
        CHECK(shop.terminate() == 0);
    }
    CHECK(world.number(order, "SELECT epoch FROM fences") == 2);
    if (in_the_middle) world.sql(stock, "UPDATE shards SET state = 'rebuilding'");
    const auto changed = world.flashsale({"deployment", "set", "stock.gate", "database"});
    CAPTURE(changed.output);
    REQUIRE(changed.exit_code == 0);

    const flashsale_process shop(world, {{"FLASHSALE_STOCK__GATE", "database"}});
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    CHECK(outcome(place_order(client, user, product, 3)) == "201");
    CHECK(client
              .post("/v1/products/" + std::to_string(product) + "/reduce-stock",
                    json::value{{"quantity", 2}}, {{"Idempotency-Key", "r"}})
              .status == 200);
    CHECK(eventually(std::chrono::seconds(60), [&] {
        return world.number(order, "SELECT count(*) FROM orders") == 1 &&
               world.number(stock, "SELECT count(*) FROM outbox") == 0;
    }));
    CHECK(world.number(order, "SELECT count(*) FROM late") == 0);
    CHECK(client.get("/readyz").status == 200);
    const auto audit =
        run({flashsale_binary(), "audit", "--wait", "30", "--config", world.config_file()}, [&] {
            auto all = world.variables();
            all["FLASHSALE_STOCK__GATE"] = "database";
            return all;
        }());
    INFO(audit.output);
    CHECK(audit.exit_code == 0);
}

TEST_CASE("deployment: what is to be migrated is not, while a process serves") {
    const sandbox world;
    const auto set_back = [&] {
        world.sql(user, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    };
    const auto applied = [&] {
        return world.number(user, "SELECT count(*) FROM pg_tables WHERE tablename = 'users'") == 1;
    };
    flashsale_process shop(world);
    const auto idle = world.flashsale({"migrate"});
    CHECK(idle.exit_code == 0);  // there is nothing to apply
    CHECK(idle.output.empty());

    set_back();
    const auto refused = world.flashsale({"migrate"});
    CAPTURE(refused.output);
    CHECK(refused.exit_code == 3);
    CHECK(says(refused, "stop every `flashsale serve` of this deployment"));
    CHECK_FALSE(applied());
    const auto forced = world.flashsale({"migrate", "--force"});
    CHECK(forced.exit_code == 0);
    CHECK(says(forced, "user: 0001_user"));

    set_back();
    CHECK(shop.terminate() == 0);
    CHECK(world.flashsale({"migrate"}).exit_code == 0);
    CHECK(applied());
}
