// A deployment that 0.1 has left is taken over: what its outbox and its queue had is recorded, its
// gate is rebuilt, its keys are removed.

#include <catch2/catch.hpp>
#include <flashsale/amqp.hpp>

#include <cstdlib>

#include "left_by.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;
using enum sandbox::database;

namespace {

const environment quick{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"}};

std::string keys_of(const sandbox& world, const std::string& pattern) {
    return stack::redis_cli({"--scan", "--pattern", "{" + world.name() + ":0}:" + pattern});
}

}  // namespace

TEST_CASE("upgrade: what 0.1 has left is recorded, its gate is rebuilt, and its keys are gone") {
    const sandbox world(quick);
    leave(world);
    REQUIRE(!keys_of(world, "1:*").empty());
    const std::int64_t before = world.number(order, "SELECT count(*) FROM orders");

    const auto migrated = world.flashsale({"migrate"});
    INFO(migrated.output);
    REQUIRE(migrated.exit_code == 0);
    flashsale_process shop(world);
    auto client = shop.client();
    REQUIRE(eventually(60s, [&] { return client.get("/readyz").status == 200; }));

    const json::value told = json::parse(left_file("answers.json"));
    const auto product = told.at("product").to_number<std::int64_t>();
    const json::array& accepted = told.at("accepted").as_array();
    CHECK(std::ssize(accepted) > before);
    for (const json::value& one : accepted) {
        const auto id = json::value_to<std::string>(one.at("id"));
        CAPTURE(id);
        CHECK(client.get("/v1/orders/" + id).status == 200);
        const auto again = place_order(client, one.at("user").to_number<std::int64_t>(), product,
                                       one.at("quantity").to_number<std::int64_t>(),
                                       json::value_to<std::string>(one.at("key")));
        CHECK(outcome(again) == "201");
        CHECK(order_id(again) == id);
    }
    CHECK(audit_fault(world).empty());
    CHECK(world.number(order, "SELECT count(*) FROM parked") == 0);
    CHECK(world.number(stock, "SELECT count(*) FROM movements WHERE kind = 'reduction'") == 1);
    CHECK(world.number(order, "SELECT count(*) FROM orders") == std::ssize(accepted));
    CHECK(available(client, product) == told.at("available").to_number<std::int64_t>());
    CHECK(keys_of(world, "1:*").empty());
    CHECK(stack::redis_cli({"HGET", "{" + world.name() + ":0}:gate", "generation"}) == "\n");
    CHECK(stack::redis_cli({"HGET", "{" + world.name() + ":0}:gate", "epoch"}) == "2\n");
    CHECK(world.number(stock, "SELECT epoch FROM shards") == 2);
    CHECK(shop.terminate() == 0);
}

TEST_CASE("upgrade: a record that is behind the gate of 0.1 sells nothing, and keeps the gate") {
    const sandbox world(quick);
    leave(world);
    world.sql(order, "DELETE FROM orders WHERE idempotency_key = 'key-3'");
    REQUIRE(world.flashsale({"migrate"}).exit_code == 0);
    flashsale_process shop(world);
    auto client = shop.client();
    CHECK(eventually(60s, [&] {
        const auto ready = client.get("/readyz");
        return ready.status == 503 && ready.body.contains("its record is behind its gate");
    }));
    CHECK_FALSE(keys_of(world, "1:*").empty());
    CHECK(stack::redis_cli({"HGET", "{" + world.name() + ":0}:gate", "held"}) != "\n");
    CHECK(world.number(stock, "SELECT epoch FROM shards") == 1);
    CHECK(shop.terminate() == 0);
}

// ---- how that was recorded: FLASHSALE_LEFT_BY names the executable of 0.1

namespace {

/// All that waits in the queue.
std::vector<std::string> messages_of(const sandbox& world) {
    namespace amqp = flashsale::amqp;
    amqp::options settings;
    settings.url = std::getenv("FLASHSALE_AMQP__URL");
    amqp::topology names;
    names.exchange = world.name() + ".stranger";
    names.queue = world.name() + ".recorder";
    names.binding_key = "stranger";
    names.dead_letter_exchange = world.name() + ".dead";
    names.dead_letter_queue = world.name() + ".dead";
    amqp::consumer in(settings, names, 1'000);
    std::vector<std::string> out;
    while (true) {
        const auto some = in.receive(1'000, 2s);
        REQUIRE(some.has_value());
        if (some->empty()) break;
        for (const amqp::delivery& one : *some)
            out.push_back(one.body);
    }
    in.close();
    return out;
}

json::array contents_of_redis(const sandbox& world) {
    json::array out;
    std::istringstream keys(stack::redis_cli({"--scan", "--pattern", "*" + world.name() + "*"}));
    for (std::string key; std::getline(keys, key);) {
        json::array command{"HSET", key};
        std::istringstream fields(stack::redis_cli({"HGETALL", key}));
        for (std::string word; std::getline(fields, word);)
            command.emplace_back(word);
        out.emplace_back(std::move(command));
    }
    return out;
}

}  // namespace

TEST_CASE("upgrade: record what 0.1 leaves", "[.record]") {
    const char* executable = std::getenv("FLASHSALE_LEFT_BY");
    REQUIRE(executable != nullptr);
    const sandbox world;
    for (const auto& [which, file] : left_databases)
        world.sql(which, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    setenv("FLASHSALE_UNDER_TEST", executable, 1);
    REQUIRE(world.flashsale({"migrate"}).exit_code == 0);

    std::int64_t product = 0, left_over = 0;
    json::array accepted;
    std::vector<std::int64_t> users;
    const auto sell = [&](http_client& client, std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i) {
            const std::string key = "key-" + std::to_string(i);
            const std::int64_t quantity = 1 + static_cast<std::int64_t>(i % 2);
            const auto answer = place_order(client, users[i], product, quantity, key);
            REQUIRE(outcome(answer) == "201");
            accepted.push_back({{"id", order_id(answer)},
                                {"user", users[i]},
                                {"quantity", quantity},
                                {"key", key}});
        }
        left_over = available(client, product);
    };
    {
        flashsale_process shop(world);
        auto client = shop.client();
        users = make_users(client, 40);
        product = make_product(client, 100, {.per_user_limit = 2});
        sell(client, 0, 15);
        REQUIRE(shop.terminate() == 0);
    }
    {
        flashsale_process shop(world, {{"FLASHSALE_RECORDER__ENABLED", "false"},
                                       {"FLASHSALE_RECOVERY__SWEEP_INTERVAL_MS", "100"}});
        auto client = shop.client();
        sell(client, 15, 40);
        const std::string path = "/v1/products/" + std::to_string(product) + "/reduce-stock";
        REQUIRE(client.post(path, R"({"quantity":3})").status == 200);
        left_over = available(client, product);
        shop.kill();
        REQUIRE(shop.wait(10s).has_value());
    }
    auto queue = messages_of(world);
    REQUIRE(queue.size() > 8);
    queue.erase(queue.begin() + 4, queue.begin() + 8);  // they are in the outbox alone

    std::filesystem::create_directories(left_by_0_1);
    const auto write = [&](const char* file, std::string text) {
        text = replaced(replaced(text, world.name(), any_name), server_identity(), any_server);
        std::ofstream(left_by_0_1 / file) << text;
    };
    for (const auto& [which, file] : left_databases) {
        std::istringstream dump(run_or_throw({"pg_dump", "--no-owner", "--no-privileges",
                                              "--inserts", "--dbname", world.url(which)}));
        std::string text;
        for (std::string line; std::getline(dump, line);) {
            const bool noise = line.empty() || line.starts_with("--") || line.starts_with("\\") ||
                               line.starts_with("CREATE SCHEMA") || line.starts_with("SET ") ||
                               line.starts_with("SELECT pg_catalog.set_config");
            if (!noise) text += line + "\n";
        }
        write(file, text);
    }
    write("redis.json", json::serialize(contents_of_redis(world)) + "\n");
    write("queue.json", json::serialize(json::value_from(queue)) + "\n");
    write("answers.json",
          json::serialize(json::value{
              {"product", product}, {"available", left_over}, {"accepted", std::move(accepted)}}) +
              "\n");
}
