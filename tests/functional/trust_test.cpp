// Redis is the server that it was, its gate's header says open, and yet the gate is wrong: keys
// were evicted, or older ones put in their place. The reconciler finds out, and the gate is
// rebuilt.

#include <catch2/catch.hpp>
#include <csignal>

#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

const environment quick{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                        {"FLASHSALE_RECOVERY__LEASE_MS", "10000"},
                        {"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "1000"}};

std::int64_t epoch_of(const sandbox& world) {
    return world.number(sandbox::database::stock, "SELECT epoch FROM shards WHERE state = 'open'");
}

std::int64_t metric_of(http_client& client, const std::string& name) {
    const std::string body = client.get("/metrics").body;
    const std::string line = "\nflashsale_" + name + " ";
    return std::stoll(body.substr(body.find(line) + line.size()));
}

std::string key(const sandbox& world, const std::string& rest) {
    return "{" + world.name() + ":0}:" + rest;
}

/// Puts things of a server back to what they were before, whatever happens.
class settings {
public:
    ~settings() {
        set("maxmemory-policy", "noeviction");
        set("maxmemory", "0");
    }
    void set(const char* name, const std::string& value) const {
        stack::redis_cli({"CONFIG", "SET", name, value});
    }
};

/// A copy of the shard's keys within the server, which restores as DUMP and RESTORE do.
class older_copy {
public:
    explicit older_copy(const std::string& pattern) : pattern_(pattern) {
        run("for _, key in ipairs(redis.call('KEYS', ARGV[1])) do"
            " redis.call('SET', 'copy:' .. key, redis.call('DUMP', key)) end");
    }
    ~older_copy() {
        run("for _, key in ipairs(redis.call('KEYS', 'copy:' .. ARGV[1])) do redis.call('DEL', key)"
            " end");
    }
    void restore() const {
        run("for _, key in ipairs(redis.call('KEYS', 'copy:' .. ARGV[1])) do"
            " redis.call('RESTORE', string.sub(key, 6), 0, redis.call('GET', key), 'REPLACE') end");
    }

private:
    void run(const std::string& script) const {
        const auto answer = stack::redis_cli({"EVAL", script, "0", pattern_});
        if (answer.find("ERR") != std::string::npos) throw std::runtime_error(answer);
    }
    std::string pattern_;
};

struct sale {
    explicit sale(const environment& more = {}) : shop(world, more) {}

    sandbox world{quick};
    flashsale_process shop;
    http_client client{shop.client()};
    std::int64_t user = make_user(client, "u");
    std::int64_t product = make_product(client, 10);

    std::string order(std::int64_t quantity, const std::string& key = {}) {
        return outcome(place_order(client, user, product, quantity, key));
    }
    bool is_open(std::int64_t epoch) {
        return eventually(30s, [&] {
            const auto row = world.sql(sandbox::database::stock,
                                       "SELECT epoch FROM shards WHERE state = 'open'");
            return row.size() == 1 && std::stoll(*row[0][0]) >= epoch &&
                   client.get("/readyz").status == 200;
        });
    }
    bool all_recorded(std::int64_t orders) {
        return eventually(20s, [&] {
            return world.number(sandbox::database::stock,
                                "SELECT count(*) FROM movements WHERE kind = 'sale'") == orders;
        });
    }
};

}  // namespace

TEST_CASE("trust: a policy that evicts closes the gate until it is right, and it is rebuilt") {
    sale here;
    REQUIRE(here.order(4, "first") == "201");
    const settings server;
    server.set("maxmemory-policy", "allkeys-lru");
    CHECK(eventually(20s, [&] { return here.order(4, "first") == "503 rebuilding"; }));
    CHECK(eventually(20s, [&] { return here.client.get("/readyz").status == 503; }));
    CHECK(here.client.get("/readyz?verbose").body.find("allkeys-lru") != std::string::npos);
    // Neither by itself nor by hand, as long as it may evict.
    const auto by_hand = here.world.flashsale({"rebuild", "--shard", "0"});
    CHECK(by_hand.exit_code == 3);
    CHECK(by_hand.output.find("noeviction") != std::string::npos);
    CHECK(here.order(1) == "503 rebuilding");
    server.set("maxmemory-policy", "noeviction");
    CHECK(here.is_open(2));
    CHECK(here.order(4, "first") == "201");
    CHECK(available(here.client, here.product) == 6);
    CHECK(audit_fault(here.world) == "");
}

TEST_CASE("trust: keys evicted between two looks close the gate, and it is rebuilt") {
    sale here;
    REQUIRE(here.order(4, "first") == "201");
    REQUIRE(here.all_recorded(1));
    here.shop.kill(SIGSTOP);
    {
        // The one key that tells a repeat from a new order.
        const settings server;
        const auto keys = key(here.world, "1:k:" + std::to_string(here.product));
        stack::redis_cli({"EXPIRE", keys, "100000"});
        server.set("maxmemory-policy", "volatile-random");
        server.set("maxmemory", "1");
        CHECK(eventually(10s, [&] {
            stack::redis_cli({"SET", "trust-test", "x"});
            return stack::redis_cli({"EXISTS", keys}).starts_with("0");
        }));
    }
    here.shop.kill(SIGCONT);
    CHECK(here.is_open(2));
    CHECK(here.order(4, "first") == "201");
    CHECK(here.order(6) == "201");
    CHECK(here.order(1) == "400 out_of_stock");
    CHECK(audit_fault(here.world) == "");
}

TEST_CASE("trust: a product's hash put back to what it was sells nothing twice") {
    sale here;
    const older_copy before(key(here.world, "1:p:*"));
    REQUIRE(here.order(10, "first") == "201");
    REQUIRE(here.all_recorded(1));
    before.restore();
    CHECK(here.is_open(2));
    CHECK(here.order(1) == "400 out_of_stock");
    CHECK(here.order(10, "first") == "201");
    CHECK(audit_fault(here.world) == "");
}

TEST_CASE("trust: all keys put back to what they were, before anything was recorded") {
    sandbox world(quick);
    std::optional<flashsale_process> shop(std::in_place, world,
                                          environment{{"FLASHSALE_RECORDER__ENABLED", "false"}});
    auto client = shop->client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    const older_copy before(key(world, "*"));
    const auto first = place_order(client, user, product, 10, "first");
    REQUIRE(outcome(first) == "201");
    // It sends a barrier again after 2 s: by then the reconciler has seen what came after the copy.
    REQUIRE(eventually(20s, [&] { return metric_of(client, "reconcile_barriers_total") >= 2; }));
    before.restore();
    CHECK(eventually(
        20s, [&] { return outcome(place_order(client, user, product, 20)) == "503 rebuilding"; }));
    const flashsale_process recorder(world);
    CHECK(eventually(
        30s, [&] { return outcome(place_order(client, user, product, 1)) == "400 out_of_stock"; }));
    CHECK(epoch_of(world) == 2);
    CHECK(order_id(place_order(client, user, product, 10, "first")) == order_id(first));
    CHECK(audit_fault(world) == "");
}

TEST_CASE("trust: a product that the gate lost with its keys is not given once more") {
    sale here;
    REQUIRE(here.order(10, "first") == "201");
    REQUIRE(here.all_recorded(1));
    const auto id = std::to_string(here.product);
    stack::redis_cli({"DEL", key(here.world, "1:p:" + id), key(here.world, "1:k:" + id)});
    CHECK(here.is_open(2));
    CHECK(here.order(1) == "400 out_of_stock");
    CHECK(here.order(10, "first") == "201");
    CHECK(audit_fault(here.world) == "");
}

TEST_CASE("trust: an attempt that fails while loading leaves no keys, and the next one opens") {
    sale here({{"FLASHSALE_RECOVERY__REBUILD_AUTOMATICALLY", "false"}});
    REQUIRE(here.order(4, "first") == "201");
    REQUIRE(here.all_recorded(1));
    const auto keys = [&](std::int64_t epoch) {
        return stack::redis_cli({"--raw", "EVAL", "return #redis.call('KEYS', ARGV[1])", "0",
                                 key(here.world, std::to_string(epoch) + ":*")});
    };
    // What does not add up is not opened.
    here.world.sql(sandbox::database::stock, "UPDATE products SET stock = stock + 1");
    const auto failed = here.world.flashsale({"rebuild", "--shard", "0"});
    INFO(failed.output);
    REQUIRE(failed.exit_code == 3);
    CHECK(failed.output.find("does not add up") != std::string::npos);
    CHECK(keys(1).starts_with("0"));
    CHECK(keys(2).starts_with("0"));
    here.world.sql(sandbox::database::stock, "UPDATE products SET stock = stock - 1");
    REQUIRE(here.world.flashsale({"rebuild", "--shard", "0"}).exit_code == 0);
    for (const std::int64_t epoch : {1, 2})
        CHECK(keys(epoch).starts_with("0"));
    CHECK_FALSE(keys(3).starts_with("0"));
    CHECK(here.order(6) == "201");
    CHECK(here.order(1) == "400 out_of_stock");
    CHECK(audit_fault(here.world) == "");
}

TEST_CASE("trust: a warning, once, and a metric tell that a rebuild would not fit") {
    sale here;
    const auto lacking = [&] { return metric_of(here.client, "rebuild_lacks_bytes"); };
    const auto said = [&](const std::string& what) {
        const auto log = here.shop.log();
        std::size_t times = 0;
        for (auto at = log.find(what); at != std::string::npos; at = log.find(what, at + 1))
            ++times;
        return times;
    };
    CHECK(lacking() == 0);
    const settings server;
    const auto info = stack::redis_cli({"INFO", "memory"});
    const auto used = std::stoll(info.substr(info.find("used_memory:") + 12));
    server.set("maxmemory", std::to_string(used + 500'000));
    CHECK(eventually(20s, [&] { return lacking() > 0; }));
    CHECK(here.order(1) == "201");
    std::this_thread::sleep_for(1s);
    CHECK(said("a rebuild needs") == 1);
    // A process that starts says so at once.
    const flashsale_process second(here.world);
    CHECK(second.log().find("a rebuild needs") != std::string::npos);
    server.set("maxmemory", "0");
    CHECK(eventually(20s, [&] { return lacking() == 0; }));
    CHECK(said("has room again") == 1);
}
