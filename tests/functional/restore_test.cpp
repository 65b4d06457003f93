// PostgreSQL was restored from an older backup, and Redis was not: nothing is sold, nor rebuilt,
// until the newer record is back or a person accepts the older one.

#include <catch2/catch.hpp>

#include <set>

#include "restored.hpp"
#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;
using database = sandbox::database;

namespace {

const environment quick{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                        {"FLASHSALE_RECOVERY__LEASE_MS", "10000"},
                        {"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "1000"}};

const std::string behind = "its record is behind its gate";
const std::string older = "restored from an older backup";

/// Three units sold, a backup of these databases, and more sold: four by orders, one taken out.
struct restored_sale {
    explicit restored_sale(const std::set<database>& which) {
        open();
        user = make_user(*client, "u");
        product = make_product(*client, 20);
        REQUIRE(order(3, "before") == "201");
        close();
        for (const database one : which)
            backups.emplace_back(std::make_unique<backup>(world, one));
        open();
    }
    void sell_more() {
        REQUIRE(order(2, "lost") == "201");
        REQUIRE(order(2, "lost-too") == "201");
        REQUIRE(client
                    ->post("/v1/products/" + std::to_string(product) + "/reduce-stock",
                           json::value{{"quantity", 1}})
                    .status == 200);
    }

    void open() {
        shop.emplace(world);
        client.emplace(shop->client());
    }
    /// With all of it recorded.
    void close() {
        REQUIRE(audit_fault(world) == "");
        REQUIRE(shop->terminate() == 0);
        shop.reset();
    }
    void restore() const {
        for (const auto& one : backups)
            one->restore();
    }
    void undo() const {
        for (const auto& one : backups)
            one->undo();
    }

    std::string order(std::int64_t quantity, const std::string& key = {}) {
        return outcome(place_order(*client, user, product, quantity, key));
    }
    bool sells() {
        return eventually(90s, [&] {
            return client->get("/readyz").status == 200 && order(1, "sells") == "201";
        });
    }
    /// Of the process that is asked.
    static bool says(http_client& of, const std::string& what) {
        return eventually(30s, [&] {
            const auto answer = of.get("/readyz");
            return answer.status == 503 && answer.body.find(what) != std::string::npos;
        });
    }
    std::int64_t shut() {
        const std::string body = client->get("/metrics").body;
        const std::string line = "\nflashsale_gates_shut_total ";
        return std::stoll(body.substr(body.find(line) + line.size()));
    }
    std::int64_t epoch() const { return world.number(database::stock, "SELECT epoch FROM shards"); }
    std::string state() const {
        return *world.sql(database::stock, "SELECT state FROM shards")[0][0];
    }
    /// So often the lease was renewed: each pass does it, if it comes to nothing else.
    bool passes(int count) {
        std::string last;
        return eventually(60s, [&] {
            const auto row = world.sql(database::stock, "SELECT lease_until FROM shards");
            if (row.size() == 1 && row[0][0] && std::exchange(last, *row[0][0]) != *row[0][0])
                --count;
            return count < 0;
        });
    }
    std::string header(const std::string& field) const {
        return stack::redis_cli({"--raw", "HGET", "{" + world.name() + ":0}:gate", field});
    }
    finished rebuild(bool accept) const {
        std::vector<std::string> arguments{"rebuild", "--shard", "0"};
        if (accept) arguments.push_back("--accept-record");
        return world.flashsale(arguments);
    }
    void check_refuses_by_hand(const std::string& why) const {
        const auto before = epoch();
        const auto by_hand = rebuild(false);
        INFO(by_hand.output);
        CHECK(by_hand.exit_code == 1);
        CHECK(by_hand.output.find(why) != std::string::npos);
        CHECK(by_hand.output.find("--accept-record") != std::string::npos);
        CHECK(epoch() == before);
    }
    void accept() const {
        const auto by_hand = rebuild(true);
        INFO(by_hand.output);
        REQUIRE(by_hand.exit_code == 0);
    }
    std::size_t keys_of(std::int64_t of) const {
        return std::stoul(
            stack::redis_cli({"--raw", "EVAL", "return #redis.call('KEYS', ARGV[1])", "0",
                              "{" + world.name() + ":0}:" + std::to_string(of) + ":*"}));
    }

    sandbox world{quick};
    std::vector<std::unique_ptr<backup>> backups;
    std::optional<flashsale_process> shop;
    std::optional<http_client> client;
    std::int64_t user = 0, product = 0;
};

}  // namespace

TEST_CASE("restore: a record behind its gate sells nothing, and a person decides") {
    using older = std::pair<std::set<database>, bool>;
    const auto [which, closed] =
        GENERATE(older{{database::stock, database::order}, false},
                 older{{database::stock, database::order}, true}, older{{database::stock}, false},
                 older{{database::order}, true});
    restored_sale here(which);
    here.sell_more();
    here.close();
    // As after a restart of Redis, which its data survives.
    if (closed) stack::redis_cli({"HSET", "{" + here.world.name() + ":0}:gate", "state", "closed"});
    here.restore();
    here.open();
    CHECK(here.order(1) == "503 rebuilding");
    CHECK(restored_sale::says(*here.client, behind));
    CHECK(here.shut() == 1);
    CHECK(here.shop->log().find("lacks") != std::string::npos);

    const flashsale_process second(here.world);
    auto other = second.client();
    CHECK(outcome(place_order(other, here.user, here.product, 1)) == "503 rebuilding");
    CHECK(restored_sale::says(other, behind));
    CHECK(here.passes(5));
    CHECK(here.epoch() == 1);
    CHECK(here.state() == "open");
    here.check_refuses_by_hand(behind);
    CHECK(here.order(1) == "503 rebuilding");

    here.accept();
    CHECK(here.sells());
    CHECK(here.epoch() == 2);
    CHECK(here.keys_of(1) == 0);
    CHECK(eventually(30s, [&] {
        return outcome(place_order(other, here.user, here.product, 1, "other")) == "201";
    }));
    // Before, and two now. Orders that are recorded keep their units, and so do movements.
    if (which.size() == 2) {
        CHECK(available(*here.client, here.product) == 15);
        CHECK(audit_fault(here.world) == "");
    } else if (which.contains(database::stock)) {
        CHECK(available(*here.client, here.product) == 11);
        CHECK(audit_fault(here.world) == "");
    } else {
        CHECK(available(*here.client, here.product) == 10);
        CHECK(audit_fault(here.world).find("2 movements have no order") != std::string::npos);
    }
}

TEST_CASE("restore: the newer record is back, and it sells again by itself") {
    const auto which = GENERATE(std::set{database::stock, database::order},
                                std::set{database::stock}, std::set{database::order});
    restored_sale here(which);
    here.sell_more();
    here.close();
    here.restore();
    here.open();
    CHECK(restored_sale::says(*here.client, behind));
    CHECK(here.order(1) == "503 rebuilding");
    here.undo();
    CHECK(here.sells());
    CHECK(here.order(2, "lost") == "201");
    CHECK(here.order(12) == "400 out_of_stock");
    CHECK(available(*here.client, here.product) == 11);
    CHECK(audit_fault(here.world) == "");
    CHECK(here.header("held") == "\n");
}

TEST_CASE("restore: under processes that run, it is found when the databases are back") {
    const auto which = GENERATE(std::set{database::stock}, std::set{database::order});
    restored_sale here(which);
    here.sell_more();
    REQUIRE(audit_fault(here.world) == "");
    here.restore();
    CHECK(restored_sale::says(*here.client, behind));
    CHECK(here.order(1) == "503 rebuilding");
    CHECK(here.shut() == 1);
    CHECK(here.epoch() == 1);
    here.undo();
    CHECK(here.sells());
    CHECK(audit_fault(here.world) == "");
}

TEST_CASE("restore: found at the start, before the first order, by whoever has no lease too") {
    restored_sale here({database::stock, database::order});
    here.sell_more();
    here.close();
    here.restore();
    // One that does not look: its session lives as long as the server.
    here.world.sql(database::stock,
                   "UPDATE shards SET lease_holder = gen_random_uuid(),"
                   " lease_until = now() + interval '1 hour', lease_session ="
                   " (SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer')");
    here.open();
    CHECK(here.order(1) == "503 rebuilding");
    CHECK(here.shut() == 1);
    CHECK(restored_sale::says(*here.client, behind));
    CHECK(here.order(1) == "503 rebuilding");
    here.accept();
    CHECK(here.sells());
    CHECK(audit_fault(here.world) == "");
}

TEST_CASE("restore: restocks and products that are lost are missed too") {
    const bool product_too = GENERATE(false, true);
    restored_sale here({database::stock});
    if (product_too) {
        (void)make_product(*here.client, 5);
    } else {
        REQUIRE(here.client
                    ->post("/v1/products/" + std::to_string(here.product) + "/restock",
                           json::value{{"quantity", 5}})
                    .status == 200);
    }
    here.close();
    here.restore();
    here.open();
    CHECK(here.order(1) == "503 rebuilding");
    CHECK(restored_sale::says(*here.client, product_too
                                                ? "does not know 1 products that the gate sells"
                                                : "has given fewer units than the gate was told"));
    CHECK(here.passes(5));
    CHECK(here.epoch() == 1);
    here.check_refuses_by_hand(behind);
    here.accept();
    CHECK(here.sells());
    CHECK(available(*here.client, here.product) == 16);
    CHECK(audit_fault(here.world) == "");
}

TEST_CASE("restore: a stock database that does not know of the gate at all sells nothing either") {
    using as = std::pair<std::string, bool>;
    const auto [state, closed] =
        GENERATE(as{"open", false}, as{"open", true}, as{"rebuilding", false}, as{"opening", false},
                 as{"never", true});
    restored_sale here({database::stock, database::order});
    REQUIRE(here.rebuild(false).exit_code == 0);
    REQUIRE(here.sells());
    REQUIRE(here.rebuild(false).exit_code == 0);
    REQUIRE(here.sells());
    here.close();
    if (closed) stack::redis_cli({"HSET", "{" + here.world.name() + ":0}:gate", "state", "closed"});
    here.restore();
    here.world.sql(database::stock, "UPDATE shards SET state = '" + state + "'");
    here.open();
    CHECK(here.order(1) == "503 rebuilding");
    CHECK(restored_sale::says(*here.client, older));
    const flashsale_process second(here.world);
    auto other = second.client();
    CHECK(restored_sale::says(other, older));
    CHECK(here.passes(10));
    CHECK(here.order(1) == "503 rebuilding");
    CHECK(here.epoch() == 1);
    here.check_refuses_by_hand(older);
    CHECK(here.header("epoch") == "3\n");

    here.accept();
    CHECK(here.epoch() == 4);
    for (const std::int64_t epoch : {1, 2, 3})
        CHECK(here.keys_of(epoch) == 0);
    CHECK(here.sells());
    CHECK(eventually(30s, [&] {
        return outcome(place_order(other, here.user, here.product, 1, "other")) == "201";
    }));
    CHECK(available(*here.client, here.product) == 15);
    CHECK(audit_fault(here.world) == "");
}

TEST_CASE("restore: where gates are opened by hand, a record that is behind is told all the same") {
    restored_sale here({database::stock, database::order});
    here.sell_more();
    here.close();
    here.restore();
    here.world.set("FLASHSALE_RECOVERY__REBUILD_AUTOMATICALLY", "false");
    here.open();
    CHECK(here.order(1) == "503 rebuilding");
    CHECK(restored_sale::says(*here.client, behind));
    here.undo();
    CHECK(restored_sale::says(*here.client, "recovery.rebuild_automatically is off"));
    REQUIRE(here.rebuild(false).exit_code == 0);
    CHECK(here.sells());
    CHECK(audit_fault(here.world) == "");
}

TEST_CASE("restore: what is said to be done, and what becomes of lost orders") {
    restored_sale here({database::user, database::stock, database::order});
    (void)make_user(*here.client, "lost");
    const auto lost = place_order(*here.client, here.user, here.product, 2, "lost");
    REQUIRE(outcome(lost) == "201");
    const std::string path = "/v1/orders/" + order_id(lost);
    here.close();
    here.restore();
    for (const auto& [which, table] : {std::pair{database::user, std::string("users")},
                                       std::pair{database::stock, std::string("products")}})
        here.world.sql(which, "SELECT setval(pg_get_serial_sequence('" + table +
                                  "', 'id'), (SELECT max(id) FROM " + table + ") + 1000000)");
    here.open();
    CHECK(restored_sale::says(*here.client, behind));
    CHECK(here.client->get(path).status == 503);
    CHECK(here.world.flashsale({"audit"}).exit_code == 3);
    const std::string bought = stack::redis_cli(
        {"--raw", "HGETALL", "{" + here.world.name() + ":0}:1:k:" + std::to_string(here.product)});
    CHECK(bought.find("s" + std::to_string(here.user) + ":lost\n" + order_id(lost) + " 2 ") !=
          std::string::npos);

    here.accept();
    CHECK(here.sells());
    CHECK(here.client->get(path).status == 404);
    const auto again = place_order(*here.client, here.user, here.product, 2, "lost");
    CHECK(outcome(again) == "201");
    CHECK(order_id(again) != order_id(lost));
    CHECK(make_user(*here.client, "new") > 1'000'000);
    CHECK(make_product(*here.client, 1) > 1'000'000);
    CHECK(audit_fault(here.world) == "");
}
