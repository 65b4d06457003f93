// A gate that cannot be trusted, whatever the reason: it is closed to every script, every process
// says so without an order having come, and one of them mends it.

#include <catch2/catch.hpp>

#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

const environment quick{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                        {"FLASHSALE_RECOVERY__LEASE_MS", "1000"},
                        {"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "1000"}};

std::int64_t epoch_of(const sandbox& world) {
    return world.number(sandbox::database::stock, "SELECT epoch FROM shards");
}

std::int64_t closed_answers(http_client& client) {
    const std::string all = client.get("/metrics").body;
    const auto at = all.find("\nflashsale_gate_closed_total ");
    return at == std::string::npos ? -1 : std::stoll(all.substr(all.find(' ', at)));
}

std::string root_of(const sandbox& world) {
    return "{" + world.name() + ":0}:";
}

struct damage {
    const char* name;
    std::vector<std::string> command;  ///< of redis-cli; HEADER stands for the header's key

    void strike(const sandbox& world) const {
        auto words = command;
        for (std::string& one : words) {
            if (one == "HEADER") one = root_of(world) + "gate";
        }
        stack::redis_cli(words);
    }
};

/// Each of them on a gate of epoch 2 or more.
const std::vector<damage> damages{
    {"no header", {"DEL", "HEADER"}},
    {"no state", {"HDEL", "HEADER", "state"}},
    {"no epoch", {"HDEL", "HEADER", "epoch"}},
    {"no server identity", {"HDEL", "HEADER", "server"}},
    {"no seq", {"HDEL", "HEADER", "seq"}},
    {"a seq that is no number", {"HSET", "HEADER", "seq", "many"}},
    {"an older epoch", {"HSET", "HEADER", "epoch", "1"}},
    {"another server's", {"HSET", "HEADER", "server", std::string(80, 'a')}},
    {"closed", {"HSET", "HEADER", "state", "closed"}},
    {"left loading", {"HSET", "HEADER", "state", "loading"}},
};

}  // namespace

TEST_CASE("trust: a gate that refuses is rebuilt, whatever the reason, and nobody needs to order") {
    const sandbox world(quick);
    const flashsale_process shop(world), second(world);
    auto client = shop.client(), other = second.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    REQUIRE(world.rebuild().exit_code == 0);
    std::int64_t sold = 0;
    for (const damage& one : damages) {
        INFO(one.name);
        REQUIRE(eventually(
            20s, [&] { return outcome(place_order(client, user, product, 1)) == "201"; }));
        ++sold;
        const auto epoch = epoch_of(world);
        const auto closed = closed_answers(client) + closed_answers(other);
        one.strike(world);
        CHECK(eventually(20s, [&] {
            return closed_answers(client) + closed_answers(other) > closed &&
                   client.get("/readyz").status == 200 && other.get("/readyz").status == 200;
        }));
        // What was loaded and is noted as open needs no more than to be opened.
        const bool rebuilt = epoch_of(world) > epoch;
        CHECK(rebuilt == (std::string_view(one.name) != "left loading"));
        CHECK(available(other, product) == 100 - sold);
    }
    CHECK(audit_fault(world) == "");
}

TEST_CASE("trust: every process names a closed gate at once, and is ready when it is rebuilt") {
    environment by_hand = quick;
    by_hand["FLASHSALE_RECOVERY__REBUILD_AUTOMATICALLY"] = "false";
    const sandbox world(by_hand);
    const flashsale_process shop(world), second(world);
    auto client = shop.client(), other = second.client();
    REQUIRE(world.rebuild().exit_code == 0);
    for (const damage& one : damages) {
        INFO(one.name);
        for (auto* each : {&client, &other})
            REQUIRE(eventually(20s, [&] { return each->get("/readyz").status == 200; }));
        one.strike(world);
        for (auto* each : {&client, &other}) {
            CHECK(eventually(20s, [&] { return each->get("/readyz").status == 503; }));
            CHECK(each->get("/readyz").body.find("gate: redis: the gate is") != std::string::npos);
            CHECK(closed_answers(*each) > 0);
        }
        REQUIRE(world.rebuild().exit_code == 0);
    }
}

TEST_CASE("trust: why a gate is not rebuilt stands in /readyz, though no order has come") {
    const sandbox world(quick);
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    REQUIRE(outcome(place_order(client, user, product, 1)) == "201");
    const std::string header = root_of(world) + "gate";
    stack::redis_cli({"HSET", header, "state", "closed", "epoch", "1000"});
    CHECK(eventually(20s, [&] {
        const auto ready = client.get("/readyz?verbose");
        return ready.status == 503 &&
               ready.body.find(
                   "the gate of shard 0 is of epoch 1000, the stock database "
                   "knows of 1: ") != std::string::npos;
    }));
    CHECK(epoch_of(world) == 1);
    stack::redis_cli({"DEL", header});
    CHECK(eventually(60s, [&] { return client.get("/readyz").status == 200; }));
    CHECK(outcome(place_order(client, user, product, 1)) == "201");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("trust: another key prefix and back again: the gate that was left behind sells nothing") {
    const sandbox world(quick);
    std::int64_t user = 0, product = 0;
    {
        flashsale_process shop(world);
        auto client = shop.client();
        user = make_user(client, "u");
        product = make_product(client, 5);
        REQUIRE(outcome(place_order(client, user, product, 1)) == "201");
        REQUIRE(shop.terminate() == 0);
    }
    const auto move = [&](const std::string& prefix) {
        const auto moved = world.flashsale({"deployment", "set", "redis.key_prefix", prefix});
        INFO(moved.output);
        CHECK(moved.exit_code == 0);
    };
    move(world.name() + "b");
    {
        flashsale_process elsewhere(world, {{"FLASHSALE_REDIS__KEY_PREFIX", world.name() + "b"}});
        auto client = elsewhere.client();
        REQUIRE(eventually(
            20s, [&] { return outcome(place_order(client, user, product, 2)) == "201"; }));
        REQUIRE(elsewhere.terminate() == 0);
    }
    CHECK(epoch_of(world) == 2);
    move(world.name());
    const flashsale_process back(world);
    auto client = back.client();
    CHECK(eventually(20s, [&] { return client.get("/readyz").status == 200; }));
    CHECK(closed_answers(client) > 0);
    CHECK(outcome(place_order(client, user, product, 3)) == "400 out_of_stock");
    CHECK(outcome(place_order(client, user, product, 2)) == "201");
    CHECK(epoch_of(world) == 3);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("trust: a product that the gate has lost is missed, and the gate is rebuilt") {
    const sandbox world(quick);
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 5);
    REQUIRE(outcome(place_order(client, user, product, 2)) == "201");
    stack::redis_cli({"DEL", root_of(world) + "1:p:" + std::to_string(product)});
    CHECK(eventually(20s, [&] { return epoch_of(world) == 2; }));
    CHECK(eventually(20s, [&] { return outcome(place_order(client, user, product, 3)) == "201"; }));
    CHECK(closed_answers(client) > 0);
    CHECK(outcome(place_order(client, user, product, 1)) == "400 out_of_stock");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("trust: a module's database that is another module's is called that") {
    const sandbox world;
    using enum sandbox::database;
    const auto command = [&](const char* name, const char* variable, sandbox::database other) {
        auto variables = world.variables();
        variables[variable] = world.url(other);
        return run({flashsale_binary(), name, "--config", world.config_file()}, variables);
    };
    for (const char* name : {"serve", "migrate"}) {
        INFO(name);
        auto mistaken = command(name, "FLASHSALE_POSTGRES__ORDER_URL", stock);
        CHECK(mistaken.exit_code == 3);
        CHECK(mistaken.last_line().find("the order database is the stock module's: correct "
                                        "postgres.order_url") != std::string::npos);
        mistaken = command(name, "FLASHSALE_POSTGRES__USER_URL", order);
        CHECK(mistaken.exit_code == 3);
        CHECK(mistaken.last_line().find("the user database is the order module's: correct "
                                        "postgres.user_url") != std::string::npos);
        mistaken = command(name, "FLASHSALE_POSTGRES__STOCK_URL", user);
        CHECK(mistaken.exit_code == 3);
        CHECK(mistaken.last_line().find("the stock database is the user module's: correct "
                                        "postgres.stock_url") != std::string::npos);
    }
}
