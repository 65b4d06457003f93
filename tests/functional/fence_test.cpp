// A gate that is replaced and does not hear of it: a process that still asks it sells nothing,
// because the log does not take its orders. And who else could be in the way.

#include <catch2/catch.hpp>
#include <flashsale/amqp.hpp>

#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

const environment quick{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                        {"FLASHSALE_RECOVERY__LEASE_MS", "1000"},
                        {"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "1000"}};

std::string token_of(const sandbox& world) {
    return *world.sql(sandbox::database::stock, "SELECT token FROM shards")[0][0];
}

std::string identity_of(const sandbox& world) {
    return *world.sql(sandbox::database::stock,
                      "SELECT value FROM deployment WHERE name = 'identity'")[0][0];
}

/// A stranger's queue on our exchange, and what takes it away again.
struct foreign_queue {
    foreign_queue(const sandbox& world, const std::string& key) {
        flashsale::amqp::options settings;
        settings.url = std::getenv("FLASHSALE_AMQP__URL");
        flashsale::amqp::topology names;
        names.exchange = world.name() + ".log";
        names.owner = names.exchange + ".of." + identity_of(world);
        names.queue = name = world.name() + ".foreign";
        names.binding_key = key;
        names.dead_letter_exchange = names.dead_letter_queue = name + ".dead";
        if (const auto made = flashsale::amqp::declare(settings, names); !made)
            throw std::runtime_error(made.error());
    }
    void remove() const { stack::rabbitmqctl({"delete_queue", name}); }

    std::string name;
};

finished serve(environment variables) {
    variables["FLASHSALE_HTTP__PORT"] = "0";
    return run({flashsale_binary(), "serve", "--config", stack_config()}, variables);
}

}  // namespace

TEST_CASE("fence: a process asleep, its shard rebuilt at a place it does not know: no false 201") {
    const sandbox world(quick);
    // The recorder is not put to sleep.
    const flashsale_process sleeper(world, {{"FLASHSALE_RECORDER__ENABLED", "false"}});
    auto client = sleeper.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    REQUIRE(outcome(place_order(client, user, product, 1, "first")) == "201");

    ::kill(sleeper.pid(), SIGSTOP);
    // What is noted is what refuses the other place; without it that is for the fence alone.
    world.sql(sandbox::database::stock, "DELETE FROM deployment WHERE name = 'redis.key_prefix'");
    const environment elsewhere{{"FLASHSALE_REDIS__KEY_PREFIX", world.name() + "b"}};
    const flashsale_process other(world, elsewhere);
    auto another = other.client();
    const bool rebuilt = eventually(
        30s, [&] { return outcome(place_order(another, user, product, 1, "second")) == "201"; });
    INFO(other.log());
    REQUIRE(rebuilt);
    for (int i = 0; i < 8; ++i)
        REQUIRE(outcome(place_order(another, user, product, 1)) == "201");
    CHECK(outcome(place_order(another, user, product, 1)) == "400 out_of_stock");

    ::kill(sleeper.pid(), SIGCONT);
    // Its own gate is open, and has nine units.
    for (int i = 0; i < 20; ++i) {
        const auto answer = outcome(place_order(client, user, product, 1));
        CHECK(answer.starts_with("503"));
    }
    CHECK(eventually(10s, [&] { return client.get("/readyz").status == 503; }));
    CHECK(outcome(place_order(client, user, product, 1)) == "503 rebuilding");
    CHECK(another.get("/readyz").status == 200);
    // It stays so: neither rebuilds the shard from under the other.
    std::this_thread::sleep_for(2s);
    CHECK(world.number(sandbox::database::stock, "SELECT epoch FROM shards") == 2);
    CHECK(client.get("/readyz").status == 503);
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 10);
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM parked") == 0);
    auto variables = world.variables();
    variables.insert(elsewhere.begin(), elsewhere.end());
    variables["FLASHSALE_REDIS__KEY_PREFIX"] = world.name() + "b";
    const auto audit =
        run({flashsale_binary(), "audit", "--wait", "10", "--config", stack_config()}, variables);
    INFO(audit.output);
    CHECK(audit.exit_code == 0);
}

TEST_CASE("fence: another queue that takes an older gate's events stops a rebuild, by name") {
    environment patient = quick;
    patient["FLASHSALE_RECOVERY__LEASE_MS"] = "10000";
    const sandbox world(patient);
    const flashsale_process shop(world, {{"FLASHSALE_RECOVERY__REBUILD_AUTOMATICALLY", "false"}});
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    REQUIRE(outcome(place_order(client, user, product, 1)) == "201");
    const std::string old = token_of(world);
    const foreign_queue foreign(world, old);
    const auto refused = world.rebuild();
    INFO(refused.output);
    CHECK(refused.exit_code == 3);
    CHECK(refused.output.find("the routing key " + old + " are still taken") != std::string::npos);
    // It is not open under a fence with a hole.
    CHECK(outcome(place_order(client, user, product, 1)) != "201");
    foreign.remove();
    const auto done = world.rebuild();
    INFO(done.output);
    CHECK(done.exit_code == 0);
    CHECK(token_of(world) != old);
    CHECK(world.number(sandbox::database::stock, "SELECT count(*) FROM shard_tokens") == 1);
    CHECK(eventually(10s, [&] { return outcome(place_order(client, user, product, 1)) == "201"; }));
    CHECK(audit_fault(world) == "");
}

TEST_CASE("fence: what another deployment has made is refused, with both places") {
    const sandbox world, stranger;
    {
        const flashsale_process first(world);
    }
    auto variables = stranger.variables();
    variables["FLASHSALE_AMQP__NAMESPACE"] = world.name();
    const auto log = serve(variables);
    INFO(log.output);
    CHECK(log.exit_code == 2);
    CHECK(log.output.find("amqp.namespace " + world.name()) != std::string::npos);
    CHECK(log.output.find(identity_of(world)) != std::string::npos);
    CHECK(log.output.find(identity_of(stranger)) != std::string::npos);
    CHECK(log.output.find(database_of(stranger.url(sandbox::database::stock))) !=
          std::string::npos);

    const sandbox second;
    variables = second.variables();
    variables["FLASHSALE_REDIS__KEY_PREFIX"] = world.name();
    const auto gate = serve(variables);
    INFO(gate.output);
    CHECK(gate.exit_code == 2);
    CHECK(gate.output.find("{" + world.name() + ":0}:gate is another deployment's") !=
          std::string::npos);
    CHECK(gate.output.find("redis.key_prefix") != std::string::npos);
    CHECK(gate.output.find(database_of(second.url(sandbox::database::stock))) != std::string::npos);
    // Whose it is is served by it as before.
    const flashsale_process again(world);
    auto client = again.client();
    CHECK(outcome(place_order(client, make_user(client, "u"), make_product(client, 1), 1)) ==
          "201");
}

TEST_CASE("fence: the binding lost with all connections standing: another token, and it sells on") {
    const sandbox world(quick);
    const flashsale_process shop(world), second(world);
    auto client = shop.client(), other = second.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    REQUIRE(outcome(place_order(client, user, product, 1)) == "201");
    const std::string old = token_of(world);
    stack::rabbitmqctl({"eval",
                        "[rabbit_binding:remove(One, <<\"nobody\">>) || One <- "
                        "rabbit_binding:list_for_source(rabbit_misc:r(<<\"/\">>, exchange, <<\"" +
                            world.name() + ".log\">>))]."});
    // Taken, and not in the log: no process says that it was accepted before it is.
    const auto lost = outcome(place_order(other, user, product, 1, "lost"));
    CHECK(lost == "503 outcome_unknown");
    CHECK(eventually(
        10s, [&] { return outcome(place_order(other, user, product, 1, "lost")) == "201"; }));
    CHECK(eventually(10s, [&] { return client.get("/readyz").status == 200; }));
    CHECK(outcome(place_order(client, user, product, 1)) == "201");
    CHECK(token_of(world) != old);
    CHECK(world.number(sandbox::database::stock, "SELECT epoch FROM shards") == 1);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 3);
    // A rebuild knows of both.
    CHECK(world.rebuild().exit_code == 0);
    CHECK(world.number(sandbox::database::stock, "SELECT count(*) FROM shard_tokens") == 1);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("fence: a gate of an earlier version has no token: it is rebuilt, with all its orders") {
    const sandbox world(quick);
    std::string accepted;
    std::int64_t user = 0, product = 0;
    {
        const flashsale_process shop(world, {{"FLASHSALE_RECORDER__ENABLED", "false"}});
        auto client = shop.client();
        user = make_user(client, "u");
        product = make_product(client, 3);
        const auto answer = place_order(client, user, product, 2, "first");
        REQUIRE(outcome(answer) == "201");
        accepted = order_id(answer);
    }
    stack::redis_cli({"HDEL", "{" + world.name() + ":0}:gate", "token", "deployment"});
    world.sql(sandbox::database::stock, "UPDATE shards SET token = NULL");
    world.sql(sandbox::database::stock, "DELETE FROM shard_tokens");
    const flashsale_process shop(world);
    auto client = shop.client();
    CHECK(eventually(
        20s, [&] { return outcome(place_order(client, user, product, 1, "next")) == "201"; }));
    CHECK(order_id(place_order(client, user, product, 2, "first")) == accepted);
    CHECK(outcome(place_order(client, user, product, 1)) == "400 out_of_stock");
    CHECK(audit_fault(world) == "");
}
