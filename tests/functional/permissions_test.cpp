// The least that Redis's user may be allowed, as README has it, is enough; and each of it is used.

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

std::string readme() {
    std::ifstream file(std::filesystem::path(stack_config()).parent_path().parent_path() /
                       "README.md");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// The words behind `start` in README, up to the end of the line, with "flashsale" as `name`.
std::vector<std::string> words_of(const std::string& start, const std::string& name) {
    const std::string text = readme();
    const auto at = text.find("\n" + start);
    if (at == std::string::npos) throw std::runtime_error("README has no line " + start);
    const auto from = at + 1 + start.size();
    std::istringstream line(text.substr(from, text.find('\n', from) - from));
    std::vector<std::string> words;
    for (std::string word; line >> word;)
        words.push_back(std::regex_replace(word, std::regex("flashsale"), name));
    return words;
}

std::string with_user(const std::string& url, const std::string& user) {
    const auto at = url.find("://") + 3;
    return url.substr(0, at) + user + ":secret@" + url.substr(at);
}

/// A user of Redis for one test.
class redis_user {
public:
    redis_user(std::string name, std::vector<std::string> rules) : name_(std::move(name)) {
        std::vector<std::string> command{"ACL", "SETUSER", name_};
        command.insert(command.end(), rules.begin(), rules.end());
        const auto answer = stack::redis_cli(command);
        if (answer.find("OK") == std::string::npos) throw std::runtime_error(answer);
    }
    ~redis_user() {
        try {
            stack::redis_cli({"ACL", "DELUSER", name_});
        } catch (const std::exception& why) {
            FAIL_CHECK(why.what());
        }
    }
    redis_user(const redis_user&) = delete;
    redis_user& operator=(const redis_user&) = delete;

private:
    std::string name_;
};

}  // namespace

TEST_CASE("permissions: Redis: what README allows suffices, and each command of it is used") {
    sandbox world(environment{{"FLASHSALE_RECOVERY__SWEEP_INTERVAL_MS", "100"},
                              {"FLASHSALE_RECOVERY__LEASE_MS", "1000"}});
    const auto rules = words_of("ACL SETUSER flashsale ", world.name());
    const redis_user user(world.name(), rules);
    const char* url = std::getenv("FLASHSALE_REDIS__URL");
    REQUIRE(url);
    world.set("FLASHSALE_REDIS__URL", with_user(url, world.name()));
    stack::redis_cli({"SCRIPT", "FLUSH"});
    stack::redis_cli({"CONFIG", "RESETSTAT"});
    stack::redis_cli({"ACL", "LOG", "RESET"});
    {
        flashsale_process shop(world);
        auto client = shop.client();
        const auto buyer = make_user(client, "u");
        const auto product = make_product(client, 5, {.per_user_limit = 4});
        CHECK(outcome(place_order(client, buyer, product, 2)) == "201");
        const auto timed =
            client.post("/v1/products", R"({"name":"Timed","price":1,"stock":1,)"
                                        R"("sale_starts_at":"2020-01-01T00:00:00Z"})");
        CHECK(timed.status == 201);
        CHECK(outcome(place_order(client, buyer, product + 1, 1)) == "201");
        CHECK(
            client.post("/v1/products/" + std::to_string(product) + "/restock", R"({"quantity":3})")
                .status == 200);
        CHECK(client
                  .post("/v1/products/" + std::to_string(product) + "/reduce-stock",
                        R"({"quantity":1})")
                  .status == 200);
        CHECK(available(client, product) == 5);
        CHECK(world.flashsale({"reopen", "--shard", "0"}).exit_code == 0);
        CHECK(eventually(60s,
                         [&] { return outcome(place_order(client, buyer, product, 1)) == "201"; }));
        CHECK(audit_fault(world) == "");
        CHECK(shop.terminate() == 0);
    }
    // Nothing was refused…
    const auto refused = stack::redis_cli({"ACL", "LOG"});
    CHECK(refused.find(world.name()) == std::string::npos);
    INFO(refused);
    // …and nothing is allowed without need.
    const auto statistics = stack::redis_cli({"INFO", "commandstats"});
    int commands = 0;
    for (const std::string& rule : rules) {
        if (!rule.starts_with("+")) continue;
        CAPTURE(rule);
        CHECK(statistics.find("cmdstat_" + rule.substr(1) + ":calls=") != std::string::npos);
        ++commands;
    }
    CHECK(commands > 10);
}
