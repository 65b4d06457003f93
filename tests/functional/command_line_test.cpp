#include <catch2/catch.hpp>

#include <fstream>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;

namespace {

finished command(const std::vector<std::string>& arguments, const environment& extra = {}) {
    std::vector<std::string> all{flashsale_binary()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run(all, extra);
}

bool says(const finished& what, std::string_view part) {
    return what.output.find(part) != std::string::npos;
}

/// The same Redis, one database further.
std::string another_database(const environment& variables) {
    const auto found = variables.find("FLASHSALE_REDIS__URL");
    std::string url =
        found != variables.end() ? found->second : std::getenv("FLASHSALE_REDIS__URL");
    const auto slash = url.find('/', url.find("://") + 3);
    return url.substr(0, slash) + "/1";
}

}  // namespace

TEST_CASE("command line: help for each command, a version, and exit code 2 for what is wrong") {
    CHECK(command({"--version"}).exit_code == 0);
    CHECK(says(command({"--help"}), "Exit codes"));
    for (const char* one :
         {"serve", "migrate", "audit", "check-config", "healthcheck", "rebuild"}) {
        const auto help = command({one, "--help"});
        CHECK(help.exit_code == 0);
        CHECK(says(help, "--config"));
    }
    CHECK(command({}).exit_code == 2);
    CHECK(command({"sell"}).exit_code == 2);
    CHECK(command({"serve", "config/stack.json"}).exit_code == 2);
    CHECK(command({"serve", "--config", "/nowhere.json"}).exit_code == 2);
    const auto embedded = command({"rebuild", "--shard", "0", "--config", embedded_config()});
    CHECK(embedded.exit_code == 2);
    CHECK(says(embedded, "by each start of `flashsale serve`"));
}

TEST_CASE("command line: a bad configuration is one clear line and exit code 2") {
    const temporary_file file(".json");
    std::ofstream(file.path()) << "{\n  \"http\": { \"port\": 99999 }\n}\n";
    const auto bad = command({"check-config", "--config", file.path().string()});
    CHECK(bad.exit_code == 2);
    CHECK(says(bad, "http.port: expected an integer from 0 to 65535, found 99999"));
    CHECK(command({"serve", "--config", file.path().string()}).exit_code == 2);
    const auto environment = command({"check-config", "--config", stack_config()},
                                     {{"FLASHSALE_REDIS__ULR", "redis://x"}});
    CHECK(environment.exit_code == 2);
    CHECK(says(environment, "FLASHSALE_REDIS__ULR: unknown key"));
    CHECK(command({"check-config", "--config", stack_config()}).exit_code == 0);
}

TEST_CASE("command line: a missing server is named, with what to start, and exit code 3") {
    const sandbox world;
    const auto serve = [&](const char* variable, const char* url) {
        auto variables = world.variables();
        variables[variable] = url;
        variables["FLASHSALE_HTTP__PORT"] = "0";
        // Long enough for the servers that are there, which are asked first.
        variables["FLASHSALE_PROCESS__START_TIMEOUT_MS"] = "4000";
        return command({"serve", "--config", stack_config()}, variables);
    };
    const auto no_redis = serve("FLASHSALE_REDIS__URL", "redis://127.0.0.1:1/0");
    CHECK(no_redis.exit_code == 3);
    CHECK(says(no_redis, "Redis does not answer at redis://127.0.0.1:1/0"));
    CHECK(says(no_redis, "script/stack up"));
    const auto no_broker = serve("FLASHSALE_AMQP__URL", "amqp://u:secret@127.0.0.1:1/%2f");
    CHECK(no_broker.exit_code == 3);
    CHECK(says(no_broker, "RabbitMQ does not answer at amqp://u:***@127.0.0.1:1/%2f"));
    const auto no_database =
        serve("FLASHSALE_POSTGRES__ORDER_URL", "postgresql://u:secret@127.0.0.1:1/x");
    CHECK(no_database.exit_code == 3);
    CHECK(says(no_database, "PostgreSQL, the order database does not answer"));
    CHECK_FALSE(says(no_database, "secret"));
    const auto behind =
        serve("FLASHSALE_POSTGRES__ORDER_URL",
              with_database(world.url(sandbox::database::order), "flashsale_none").c_str());
    CHECK(behind.exit_code == 3);
    CHECK(says(behind, "flashsale migrate"));
}

TEST_CASE("command line: a Redis that may evict keys is refused") {
    const sandbox world;
    stack::redis_cli({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
    const auto refused = world.flashsale({"serve"});
    stack::redis_cli({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
    CHECK(refused.exit_code == 3);
    CHECK(says(refused, "maxmemory-policy noeviction"));
}

TEST_CASE("command line: processes of one deployment must agree") {
    const sandbox world;
    {
        const flashsale_process first(world);
    }
    auto variables = world.variables();
    variables["FLASHSALE_HTTP__PORT"] = "0";
    for (const auto& [name, value] :
         environment{{"FLASHSALE_STOCK__GATE", "database"},
                     {"FLASHSALE_AMQP__PREFETCH_MESSAGES", "64"},
                     {"FLASHSALE_REDIS__KEY_PREFIX", "elsewhere"},
                     {"FLASHSALE_REDIS__URL", another_database(variables)},
                     {"FLASHSALE_AMQP__NAMESPACE", "elsewhere"},
                     {"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "1000"}}) {
        auto other = variables;
        other[name] = value;
        const auto refused = command({"serve", "--config", stack_config()}, other);
        CHECK(refused.exit_code == 3);
        CHECK(says(refused, "all processes must agree"));
    }
}

TEST_CASE("command line: healthcheck asks the process that runs") {
    const sandbox world(with_gate(redis_or_memory()));
    flashsale_process shop(world);
    CHECK(command({"healthcheck", "--url", shop.url()}).exit_code == 0);
    CHECK(command({"healthcheck", "--live", "--url", shop.url()}).exit_code == 0);
    CHECK(shop.terminate() == 0);
    CHECK(command({"healthcheck", "--url", shop.url()}).exit_code == 1);
    CHECK(command({"healthcheck", "--url", "nonsense"}).exit_code == 2);
}

TEST_CASE("command line: migrate is idempotent and needs no database to be there") {
    const sandbox world(with_gate(redis_or_memory()));  // has migrated once
    const auto again = world.flashsale({"migrate"});
    CHECK(again.exit_code == 0);
    CHECK(again.output.empty());
}
