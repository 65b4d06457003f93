// The least that a server's user may be allowed, as docs/operations.md has it, is enough; and each
// of it is needed.

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "publish.hpp"
#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

std::string operations() {
    std::ifstream file(std::filesystem::path(stack_config()).parent_path().parent_path() /
                       "docs/operations.md");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// The words behind `start` in docs/operations.md, up to the end of the line, with "flashsale" as
/// `name`.
std::vector<std::string> words_of(const std::string& start, const std::string& name) {
    const std::string text = operations();
    const auto at = text.find("\n" + start);
    if (at == std::string::npos)
        throw std::runtime_error("docs/operations.md has no line " + start);
    const auto from = at + 1 + start.size();
    std::istringstream line(text.substr(from, text.find('\n', from) - from));
    std::vector<std::string> words;
    for (std::string word; line >> word;)
        words.push_back(std::regex_replace(word, std::regex("flashsale"), name));
    return words;
}

std::string with_user(const std::string& url, const std::string& user) {
    const auto at = url.find("://") + 3;
    const auto host = url.find('@', at);
    return url.substr(0, at) + user + ":secret@" +
           url.substr(host == std::string::npos ? at : host + 1);
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

/// A user of RabbitMQ for one test.
class broker_user {
public:
    explicit broker_user(std::string name) : name_(std::move(name)) {
        stack::rabbitmqctl({"add_user", name_, "secret"});
    }
    ~broker_user() {
        try {
            stack::rabbitmqctl({"delete_user", name_});
        } catch (const std::exception& why) {
            FAIL_CHECK(why.what());
        }
    }
    broker_user(const broker_user&) = delete;
    broker_user& operator=(const broker_user&) = delete;

    const std::string& name() const { return name_; }
    std::string url() const {
        const char* url = std::getenv("FLASHSALE_AMQP__URL");
        if (!url) throw std::runtime_error("FLASHSALE_AMQP__URL is not set");
        return with_user(url, name_);
    }
    void allow(const std::vector<std::string>& permissions) const {
        std::vector<std::string> command{"set_permissions", name_};
        command.insert(command.end(), permissions.begin(), permissions.end());
        stack::rabbitmqctl(command);
    }

private:
    std::string name_;
};

/// Expressions on the names of configure, write and read, for a namespace.
std::vector<std::string> broker_permissions(const std::string& name_space) {
    auto all = words_of("rabbitmqctl set_permissions flashsale ", name_space);
    for (std::string& one : all) {
        if (one.size() < 2 || one.front() != '\'' || one.back() != '\'')
            throw std::runtime_error("not in quotes: " + one);
        one = one.substr(1, one.size() - 2);
    }
    if (all.size() != 3) throw std::runtime_error("not configure, write and read");
    return all;
}

/// The names in the parentheses of an expression.
std::vector<std::string> names_in(const std::string& expression) {
    const auto begin = expression.find('(') + 1;
    std::istringstream inside(expression.substr(begin, expression.rfind(')') - begin));
    std::vector<std::string> names;
    for (std::string name; std::getline(inside, name, '|');)
        names.push_back(name);
    return names;
}

std::string without(const std::string& expression, const std::string& name) {
    std::string rest;
    for (const std::string& one : names_in(expression)) {
        if (one != name) rest += (rest.empty() ? "" : "|") + one;
    }
    return expression.substr(0, expression.find('(') + 1) + rest +
           expression.substr(expression.rfind(')'));
}

/// What the broker says of a name that this user may not use so.
bool is_refused(const std::string& text, const std::string& user, const std::string& name) {
    return std::regex_search(text, std::regex("access to (exchange|queue) '[a-z0-9]+\\." + name +
                                              "' in vhost '/' refused for user '" + user + "'"));
}

}  // namespace

TEST_CASE(
    "permissions: Redis: what the documentation allows suffices, and each command of it is used") {
    sandbox world(environment{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
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
        CHECK(world.rebuild().exit_code == 0);
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

TEST_CASE("permissions: RabbitMQ: what the documentation allows suffices") {
    sandbox world(environment{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                              {"FLASHSALE_RECOVERY__LEASE_MS", "1000"},
                              {"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "2000"}});
    const broker_user user(world.name());
    user.allow(broker_permissions(world.name()));
    world.set("FLASHSALE_AMQP__URL", user.url());
    flashsale_process shop(world);
    auto client = shop.client();
    const auto buyer = make_user(client, "u");
    const auto product = make_product(client, 1'000);
    const auto sells = [&] { return outcome(place_order(client, buyer, product, 1)) == "201"; };
    CHECK(eventually(60s, sells));
    const auto by_hand = world.rebuild();
    INFO(by_hand.output);
    CHECK(by_hand.exit_code == 0);
    CHECK(eventually(60s, sells));
    stack::redis_cli({"DEL", "{" + world.name() + ":0}:gate"});
    CHECK(eventually(60s, sells));
    CHECK(world.number(sandbox::database::stock, "SELECT epoch FROM shards") >= 3);
    publish(world, "these bytes are no JSON");
    CHECK(eventually(60s, [&] {
        return stack::rabbitmqctl({"list_queues", "name", "messages"})
                   .find(world.name() + ".dead\t1") != std::string::npos;
    }));
    CHECK(eventually(60s, sells));
    CHECK(audit_fault(world) == "");
    CHECK(shop.terminate() == 0);
    const auto log = shop.log();
    INFO(log);
    CHECK_FALSE(is_refused(log + by_hand.output, user.name(), ".*"));
}

TEST_CASE(
    "permissions: RabbitMQ: without any name of what the documentation allows, nothing is sold") {
    struct attempt {
        std::size_t which;
        std::string omitted;
        std::string permissions, log;  ///< for people
        bool sold = false, refused = false;
    };
    std::vector<attempt> attempts;
    for (std::size_t which = 0; which < 3; ++which) {
        for (const std::string& omitted : names_in(broker_permissions("flashsale")[which]))
            attempts.push_back({which, omitted, {}, {}});
    }
    // Each in a world of its own, because what exists is not checked like what is to be made. They
    // wait more than they work, so several do at a time.
    std::atomic<std::size_t> next{0};
    parallel(4, [&](std::size_t) {
        for (auto at = next++; at < attempts.size(); at = next++) {
            attempt& one = attempts[at];
            sandbox world(environment{{"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "500"}});
            const broker_user user(world.name());
            auto permissions = broker_permissions(world.name());
            permissions[one.which] = without(permissions[one.which], one.omitted);
            one.permissions = permissions[one.which];
            user.allow(permissions);
            world.set("FLASHSALE_AMQP__URL", user.url());
            const auto refused = [&] {
                one.refused = is_refused(one.log, user.name(), one.omitted);
                return one.refused;
            };
            bool serves = false;
            // A start tries again until its time is over; on a busy machine a short one may be over
            // before the broker was asked.
            for (auto limit = 1s; !serves && limit < 99s && !refused(); limit *= 4) {
                world.set("FLASHSALE_PROCESS__START_TIMEOUT_MS",
                          std::to_string(limit / std::chrono::milliseconds{1}));
                try {
                    const flashsale_process shop(world);
                    serves = true;
                    auto client = shop.client();
                    const auto buyer = make_user(client, "u");
                    const auto product = make_product(client, 5);
                    one.sold = outcome(place_order(client, buyer, product, 1)) == "201";
                    eventually(60s, [&] {
                        one.log = shop.log();
                        return refused();
                    });
                } catch (const std::runtime_error& why) {
                    one.log = why.what();
                }
            }
            refused();
        }
        return 0;
    });
    for (const attempt& one : attempts) {
        CAPTURE(one.omitted, one.permissions, one.log);
        CHECK_FALSE(one.sold);
        CHECK(one.refused);
    }
    CHECK(attempts.size() > 8);
}
