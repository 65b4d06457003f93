// What check-config says is what serve does.

#include <catch2/catch.hpp>

#include <fstream>

#include "gates.hpp"
#include "served.hpp"

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

}  // namespace

TEST_CASE(
    "configuration: what serve could not use is refused by check-config too, and no secret is "
    "printed") {
    const std::pair<const char*, const char*> wrong[] = {
        {"FLASHSALE_AMQP__URL", "amqp://u:hunter2#x@h/%2f"},
        {"FLASHSALE_AMQP__URL", "amqp://u:hunter2@h/%2f?heartbeat=10"},
        {"FLASHSALE_AMQP__URL", "amqp://u:hunter2@h1,h2/%2f"},
        {"FLASHSALE_AMQP__URL", "amqp://u:hunter2@h/a/vhost"},
        {"FLASHSALE_AMQP__URL", "amqp://u:hun@hunter2@h/%2f"},
        {"FLASHSALE_REDIS__URL", "redis://h/0,redis://u:hunter2@h:x"},
        {"FLASHSALE_REDIS__URL", "redis://hunter2@h"},
        {"FLASHSALE_REDIS__URL", "redis://u:hunter2,a@h"},
        {"FLASHSALE_POSTGRES__USER_URL", "host=h password=hunter2"},
        {"FLASHSALE_POSTGRES__STOCK_URL", "postgresql://u:a@hunter2@h/d"},
        {"FLASHSALE_POSTGRES__ORDER_URL", "postgresql://h/d?password=hunter2&sslmode=maybe"},
        {"FLASHSALE_POSTGRES__ORDER_URL", "postgresql://u:hunter2@h:1,h:2,h:x/d"},
        {"FLASHSALE_HTTP__ADDRESS", "localhost"},
        {"FLASHSALE_HTTP__ADDRESS", "u:hunter2@h"},
    };
    for (const auto& [name, value] : wrong) {
        CAPTURE(name, value);
        for (const char* verb : {"check-config", "serve", "audit"}) {
            const auto refused = command({verb, "--config", stack_config()}, {{name, value}});
            CAPTURE(verb, refused.output);
            CHECK(refused.exit_code == 2);
            CHECK(says(refused, name));
            CHECK(says(refused, "expected "));
            CHECK_FALSE(says(refused, "hunter2"));
        }
    }
}

TEST_CASE("configuration: what cannot be reached is named without its secrets") {
    const sandbox world;
    const auto serve = [&](const char* variable, const std::string& url) {
        auto variables = world.variables();
        variables[variable] = url;
        variables["FLASHSALE_HTTP__PORT"] = "0";
        variables["FLASHSALE_PROCESS__START_TIMEOUT_MS"] = "500";
        return command({"serve", "--config", stack_config()}, variables);
    };
    const auto second =
        serve("FLASHSALE_REDIS__URL", "redis://127.0.0.1:1/0,redis://shop:hun@ter2@127.0.0.1:1/0");
    CHECK(second.exit_code == 3);
    CHECK_FALSE(says(second, "ter2"));
    for (const char* url : {"postgresql://127.0.0.1:1/x?user=u&password=hunter2",
                            "postgresql://u:hunter2@127.0.0.1:1,127.0.0.2:1/x"}) {
        const auto database = serve("FLASHSALE_POSTGRES__ORDER_URL", url);
        CHECK(database.exit_code == 3);
        CHECK(says(database, "127.0.0.1:1"));
        CHECK_FALSE(says(database, "hunter2"));
    }
}

TEST_CASE(
    "configuration: every command takes the same defaults, and an empty variable is as none") {
    CHECK(command({"check-config"}).exit_code == 0);
    CHECK(command({"check-config"}, {{"FLASHSALE_REDIS__URL", ""}}).exit_code == 0);
    CHECK(command({"check-config"}, {{"FLASHSALE_HTTP__PORT", "x"}}).exit_code == 2);
    served shop;
    const std::string port = shop.output().substr(
        shop.output().rfind(':', shop.output().find('\n', shop.output().find("listening on"))) + 1,
        5);
    const environment here{{"FLASHSALE_HTTP__PORT", std::to_string(std::stoi(port))}};
    CHECK(command({"healthcheck"}, here).exit_code == 0);
    CHECK(shop.terminate() == 0);
    CHECK(command({"healthcheck"}, here).exit_code == 1);
}

TEST_CASE("configuration: what is announced is what runs") {
    const auto started =
        command({"serve"}, {{"FLASHSALE_STOCK__GATE", "redis"},
                            {"FLASHSALE_POSTGRES__USER_URL", "postgresql://127.0.0.1:1/x"}});
    CHECK(started.exit_code == 3);
    CHECK(says(started, "no --config"));
    CHECK(says(started, "on servers"));
    CHECK_FALSE(says(started, "embedded"));
}

TEST_CASE("configuration: a clean start, and the start after it, log no warning") {
    const sandbox world(with_gate(every_gate()));
    for (int start = 1; start <= 2; ++start) {
        flashsale_process shop(world);
        auto client = shop.client();
        REQUIRE(eventually(std::chrono::seconds{20},
                           [&] { return client.get("/readyz").status == 200; }));
        CHECK(shop.terminate() == 0);
        CAPTURE(start, shop.log());
        CHECK(shop.log().find(" warning ") == std::string::npos);
        CHECK(shop.log().find(" error ") == std::string::npos);
    }
}
