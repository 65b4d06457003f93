// The control of restore_test.cpp: a record that is whole is never called behind its gate, whatever
// happens while the two are compared.

#include <catch2/catch.hpp>
#include <flashsale/events/event.hpp>

#include "publish.hpp"
#include "shop.hpp"

using namespace flashsale::test;
using flashsale::events::order_accepted;
using namespace std::chrono_literals;
using database = sandbox::database;

namespace {

const environment quick{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                        {"FLASHSALE_RECOVERY__LEASE_MS", "1000"},
                        {"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "2000"}};

std::int64_t metric_of(http_client& client, const std::string& name) {
    const std::string body = client.get("/metrics").body;
    const std::string line = "\nflashsale_" + name + " ";
    return std::stoll(body.substr(body.find(line) + line.size()));
}

/// An order that its gate has granted, and that cannot be recorded: a row in its way has its key.
std::string park_one(const sandbox& world, http_client& client, std::int64_t user,
                     std::int64_t product, const std::string& key) {
    world.sql(database::order,
              "INSERT INTO orders (id, user_id, product_id, quantity, unit_price, order_status,"
              " idempotency_key, epoch, seq, created_at) VALUES (gen_random_uuid(), " +
                  std::to_string(user) + ", " + std::to_string(product) + ", 1, 1, 'SUCCESS', '" +
                  key + "', 0, 0, now())");
    const auto id = order_id(place_order_and_know(client, user, product, 1, key));
    REQUIRE(eventually(60s, [&] {
        return world.number(database::order,
                            "SELECT count(*) FROM parked WHERE event_id = '" + id + "'") == 1;
    }));
    world.sql(database::order, "DELETE FROM orders WHERE epoch = 0");
    return id;
}

}  // namespace

TEST_CASE("restore: a record that is whole is never called behind, whatever comes meanwhile") {
    sandbox world(quick);
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 1'000'000), few = make_product(client, 1);
    REQUIRE(outcome(place_order_and_know(client, user, few, 1, "last")) == "201");
    REQUIRE(world.rebuild().exit_code == 0);

    // Of the gate before: one that is granted again, and one that is refused.
    flashsale::uuid_generator make;
    const auto late = [&](std::int64_t of, const std::string& key) {
        order_accepted out;
        out.id = make.make();
        out.user_id = user;
        out.product_id = of;
        out.quantity = 1;
        out.idempotency_key = key;
        out.created_at = out.id.time();
        out.unit_price = 1'999;
        out.epoch = 1;
        out.seq = 77;
        return out;
    };
    publish(world,
            "[" + text_of(late(product, "late")) + "," + text_of(late(few, "too late")) + "]");
    REQUIRE(eventually(60s, [&] {
        return world.number(database::order,
                            "SELECT count(*) FROM orders WHERE idempotency_key = 'late'") == 1;
    }));
    // Of this one: one that stays parked, one that is dropped, one that is retried in the middle.
    (void)park_one(world, client, user, product, "stays");
    const auto dropped = park_one(world, client, user, product, "dropped");
    REQUIRE(world.flashsale({"parked", "drop", dropped}).exit_code == 0);

    std::vector<std::int64_t> users;
    for (const auto one : make_users(client, 20))
        users.insert(users.end(), 50'000, one);
    order_load load(shop, users, product);
    for (int round = 0; round < 5; ++round) {
        const auto retried = park_one(world, client, user, product, "r" + std::to_string(round));
        const auto before = load.seen("201");
        REQUIRE(eventually(60s, [&] { return load.seen("201") > before + 50; }));
        // Each looks as it starts; and who has the lease when its sessions are back.
        world.sql(database::stock,
                  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                  " datname = current_database() AND pid <> pg_backend_pid()");
        flashsale_process second(world);
        auto other = second.client();
        const auto restocked =
            other.post("/v1/products/" + std::to_string(product) + "/restock",
                       json::value{{"quantity", 10}}, {{"Idempotency-Key", std::to_string(round)}});
        CHECK((restocked.status == 200 || restocked.status == 503));
        CHECK(world.flashsale({"parked", "retry", retried}).exit_code == 0);
        CHECK(second.log().find("behind its gate") == std::string::npos);
        CHECK(metric_of(other, "gates_shut_total") == 0);
        CHECK(second.terminate() == 0);
    }
    REQUIRE(eventually(60s, [&] { return client.get("/readyz").status == 200; }));
    (void)load.stop();
    CHECK(shop.log().find("behind its gate") == std::string::npos);
    CHECK(metric_of(client, "gates_shut_total") == 0);
    CHECK(world.number(database::stock, "SELECT epoch FROM shards") == 2);
    CHECK(audit_fault(world) == "");
    // At rest, nothing is in the outbox to hide what is set aside and left out.
    const flashsale_process last(world);
    auto other = last.client();
    CHECK(eventually(60s, [&] { return other.get("/readyz").status == 200; }));
    CHECK(last.log().find("behind its gate") == std::string::npos);
}
