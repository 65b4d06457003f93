// What was set aside, and each decision about it: the sums hold after every one.

#include <catch2/catch.hpp>
#include <flashsale/events/event.hpp>

#include <filesystem>
#include <future>

#include "gates.hpp"
#include "publish.hpp"
#include "scratch_folder.hpp"
#include "shop.hpp"
#include "sql.hpp"

using namespace flashsale::test;
using flashsale::events::order_accepted;
using namespace std::chrono_literals;

namespace {

/// A shop whose recorder parked an order that its gate has granted: a row in its way has its key.
/// Embedded, a decision needs the data folder, and so the end of the process that serves it.
struct parked_order {
    explicit parked_order(const std::string& gate)
        : world({{"FLASHSALE_STOCK__GATE", gate},
                 {"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                 {"FLASHSALE_RECOVERY__LEASE_MS", "1000"},
                 {"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "2000"}}) {
        park();
        REQUIRE(available(client, product) == 7);
    }

    void park() {
        const std::string new_id = embedded() ? "randomblob(16)" : "gen_random_uuid()";
        const std::string now = embedded() ? "1" : "now()";
        world.sql(sandbox::database::order,
                  "INSERT INTO orders (id, user_id, product_id, quantity, unit_price, order_status,"
                  " idempotency_key, epoch, seq, created_at) VALUES (" +
                      new_id + ", " + std::to_string(user) + ", " + std::to_string(product) +
                      ", 1, 1, 'SUCCESS', 'in-the-way', 1, 1000, " + now + ")");
        id = order_id(place_order(client, user, product, 3, "in-the-way"));
        REQUIRE(eventually(60s, [&] { return parked() == 1; }));
    }
    void park_another() {
        user = make_user(client, "u" + id);
        park();
    }

    bool embedded() const { return world.kind() == composition::embedded; }
    std::int64_t parked() const {
        return world.number(sandbox::database::order,
                            "SELECT count(*) FROM parked WHERE dropped_at IS NULL");
    }
    void clear_the_way() const {
        world.sql(sandbox::database::order,
                  "DELETE FROM orders WHERE idempotency_key = 'in-the-way' AND quantity = 1");
    }
    /// A gate made anew from the record.
    void rebuild_gate() {
        if (!embedded()) {
            REQUIRE(world.rebuild().exit_code == 0);
            return;
        }
        close();
        open();
    }

    finished run(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "parked");
        return world.flashsale(arguments);
    }
    finished decide(const std::string& action) {
        if (embedded()) close();
        return run({action, id});
    }
    void close() {
        if (shop) REQUIRE(shop->terminate() == 0);
        shop.reset();
    }
    void open() {
        if (shop) return;
        shop.emplace(world);
        client = shop->client();
    }

    sandbox world;
    std::optional<flashsale_process> shop{std::in_place, world};
    http_client client = shop->client();
    std::int64_t user = make_user(client, "u");
    std::int64_t product = make_product(client, 10);
    std::string id;
};

}  // namespace

TEST_CASE("parked: what is set aside is listed, shown, and counted as taken") {
    parked_order sale(redis_or_memory());
    sale.clear_the_way();
    CHECK(audit_fault(sale.world) == "");
    const auto listed = sale.run({"list"});
    CHECK(listed.exit_code == 0);
    CHECK(listed.output.find(sale.id) != std::string::npos);
    CHECK(listed.output.find("holds units") != std::string::npos);
    const auto shown = sale.run({"show", sale.id});
    CHECK(shown.exit_code == 0);
    CHECK(shown.output.find("\"idempotency_key\":\"in-the-way\"") != std::string::npos);
    CHECK(sale.run({"show", "01890a5d-ac96-7000-bcce-b302099a8057"}).exit_code == 1);
    CHECK(sale.run({"show", "nonsense"}).exit_code == 1);
    // Its client was told 201, and finds it.
    const auto found = sale.client.get("/v1/orders/" + sale.id);
    CHECK(found.status == 200);
    CHECK(found.json().at("quantity").as_int64() == 3);
    CHECK(found.json().at("order_status").as_string() == "SUCCESS");
    CHECK(
        is_shown(sale.client, place_order(sale.client, sale.user, sale.product, 3, "in-the-way")));
    const auto audit = sale.world.flashsale({"audit"});
    CHECK(audit.output.find(sale.id) != std::string::npos);
}

TEST_CASE("parked: retry records it once what was in its way is gone") {
    parked_order sale(redis_or_memory());
    CHECK(sale.decide("retry").exit_code == 1);
    CHECK(sale.parked() == 1);
    sale.clear_the_way();
    const auto retried = sale.decide("retry");
    INFO(retried.output);
    CHECK(retried.exit_code == 0);
    CHECK(sale.parked() == 0);
    CHECK(sale.run({"retry", sale.id}).exit_code == 1);
    CHECK(sale.run({"drop", "nonsense"}).exit_code == 1);
    sale.open();
    CHECK(sale.client.get("/v1/orders/" + sale.id).status == 200);
    CHECK(available(sale.client, sale.product) == 7);
    CHECK(order_id(place_order(sale.client, sale.user, sale.product, 3, "in-the-way")) == sale.id);
    CHECK(audit_fault(sale.world) == "");
}

TEST_CASE("parked: drop gives its units again, once, and they are for sale") {
    parked_order sale(redis_or_memory());
    sale.clear_the_way();
    const auto dropped = sale.decide("drop");
    INFO(dropped.output);
    CHECK(dropped.exit_code == 0);
    CHECK(sale.run({"drop", sale.id}).exit_code == 1);
    CHECK(sale.run({"retry", sale.id}).exit_code == 1);
    CHECK(sale.run({"list"}).output.find(sale.id) == std::string::npos);
    CHECK(sale.run({"list", "--dropped"}).output.find(sale.id) != std::string::npos);
    sale.open();
    CHECK(eventually(60s, [&] { return available(sale.client, sale.product) == 10; }));
    CHECK(sale.client.get("/v1/orders/" + sale.id).status == 404);
    CHECK(audit_fault(sale.world) == "");
    CHECK(outcome(place_order(sale.client, sale.user, sale.product, 10)) == "201");
    CHECK(outcome(place_order(sale.client, sale.user, sale.product, 1)) == "400 out_of_stock");
    CHECK(audit_fault(sale.world) == "");
    // The gate made anew has it as the record has it: taken once, given once more, its key free.
    sale.rebuild_gate();
    CHECK(outcome(place_order(sale.client, sale.user, sale.product, 1)) == "400 out_of_stock");
    CHECK(outcome(place_order(sale.client, sale.user, sale.product, 1, "in-the-way")) ==
          "400 out_of_stock");
    CHECK(audit_fault(sale.world) == "");
}

TEST_CASE("parked: a drop that dies between the databases is finished, and cannot be retried") {
    parked_order sale(redis_or_memory());
    sale.clear_the_way();
    if (sale.embedded()) {
        sale.close();
        const sqlite_write_lock held(sale.world.folder() / "order.db");
        CHECK(sale.run({"drop", sale.id}).exit_code == 3);
    } else {
        const table_lock held(sale.world.url(sandbox::database::order), "parked");
        process dying({flashsale_binary(), "parked", "drop", sale.id, "--config", stack_config()},
                      sale.world.variables());
        REQUIRE(eventually(60s, [&] {
            return sale.world.number(sandbox::database::stock,
                                     "SELECT count(*) FROM movements WHERE kind = 'drop'") == 1;
        }));
        dying.kill(SIGKILL);
        REQUIRE(dying.wait(30s));
        // Its session may be waiting for the lock still, and would go on when that is gone.
        sale.world.sql(sandbox::database::order,
                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                       " WHERE datname = current_database() AND wait_event_type = 'Lock'");
    }
    REQUIRE(sale.parked() == 1);
    const auto retried = sale.run({"retry", sale.id});
    CHECK(retried.exit_code == 1);
    CHECK_THAT(retried.output, Catch::Contains("dropping it was begun"));
    CHECK(sale.parked() == 1);
    CHECK(sale.world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 0);
    CHECK(audit_fault(sale.world) == "");
    // Half done, it hinders no gate, and its units are counted once.
    sale.rebuild_gate();
    CHECK(available(sale.client, sale.product) == 10);
    CHECK(audit_fault(sale.world) == "");
    if (sale.embedded()) sale.close();
    const auto dropped = sale.run({"drop", sale.id});
    INFO(dropped.output);
    CHECK(dropped.exit_code == 0);
    CHECK(sale.parked() == 0);
    sale.open();
    sale.rebuild_gate();
    CHECK(outcome(place_order(sale.client, sale.user, sale.product, 10)) == "201");
    CHECK(outcome(place_order(sale.client, sale.user, sale.product, 1)) == "400 out_of_stock");
    CHECK(audit_fault(sale.world) == "");
    CHECK(sale.world.number(sandbox::database::order, "SELECT sum(quantity) FROM orders") == 10);
}

TEST_CASE("parked: retry and drop at once: one of them, and never both") {
    parked_order sale("redis");
    REQUIRE(outcome(sale.client.post("/v1/products/" + std::to_string(sale.product) + "/restock",
                                     json::value{{"quantity", 90}})) == "200");
    const auto decide = [&](const char* action) {
        return std::async(std::launch::async, [&, action] { return sale.run({action, sale.id}); });
    };
    const auto waiting = [&](std::int64_t sessions) {
        return eventually(60s, [&] {
            return sale.world.number(sandbox::database::stock,
                                     "SELECT count(*) FROM pg_stat_activity"
                                     " WHERE datname = current_database()"
                                     " AND wait_event_type = 'Lock'"
                                     " AND query LIKE '%movements%'") == sessions;
        });
    };
    int retried = 0;
    for (int round = 0; round < 8; ++round) {
        if (round > 0) sale.park_another();
        sale.clear_the_way();
        // Both have found it undecided, and the order is there, as they come to the ledger.
        std::optional<table_lock> ledger(std::in_place, sale.world.url(sandbox::database::stock),
                                         "movements");
        auto drop = decide("drop");
        REQUIRE(waiting(1));
        auto retry = decide("retry");
        REQUIRE(waiting(2));
        ledger.reset();
        const auto dropped = drop.get(), recorded = retry.get();
        INFO("round " << round << ": " << recorded.output << dropped.output);
        CHECK(((recorded.exit_code == 0) != (dropped.exit_code == 0)));
        retried += recorded.exit_code == 0;
        CHECK(sale.parked() == 0);
        CHECK(sale.world.number(sandbox::database::order, "SELECT count(*) FROM orders") ==
              retried);
    }
    CHECK(
        eventually(60s, [&] { return available(sale.client, sale.product) == 100 - 3 * retried; }));
    CHECK(audit_fault(sale.world) == "");
    sale.rebuild_gate();
    CHECK(available(sale.client, sale.product) == 100 - 3 * retried);
    CHECK(audit_fault(sale.world) == "");
}

TEST_CASE("parked: what the version before has dropped stays dropped, beside what is dropped now") {
    parked_order sale(redis_or_memory());
    sale.clear_the_way();
    REQUIRE(sale.decide("drop").exit_code == 0);
    // As that version has written it: a reduction, and a restock that names no event.
    sale.world.sql(sandbox::database::stock,
                   "UPDATE movements SET kind = 'reduction' WHERE id IN"
                   " (SELECT id FROM movements WHERE kind = 'drop') AND kind = 'sale'");
    const std::string other = sale.embedded() ? "randomblob(16)" : "gen_random_uuid()";
    sale.world.sql(sandbox::database::stock,
                   "UPDATE movements SET kind = 'restock', back = (1 = 0),"
                   " id = " +
                       other + " WHERE kind = 'drop'");
    sale.open();
    CHECK(eventually(60s, [&] { return available(sale.client, sale.product) == 10; }));
    CHECK(audit_fault(sale.world) == "");
    sale.rebuild_gate();
    CHECK(available(sale.client, sale.product) == 10);
    sale.park_another();
    CHECK(available(sale.client, sale.product) == 7);
    sale.clear_the_way();
    REQUIRE(sale.decide("drop").exit_code == 0);
    CHECK(sale.world.number(sandbox::database::stock,
                            "SELECT count(*) FROM movements WHERE kind = 'drop'") == 1);
    sale.open();
    CHECK(eventually(60s, [&] { return available(sale.client, sale.product) == 10; }));
    CHECK(audit_fault(sale.world) == "");
    sale.rebuild_gate();
    CHECK(outcome(place_order(sale.client, sale.user, sale.product, 10)) == "201");
    CHECK(outcome(place_order(sale.client, sale.user, sale.product, 1)) == "400 out_of_stock");
    CHECK(audit_fault(sale.world) == "");
}

TEST_CASE("parked: its units and its key are kept by a gate that is made anew") {
    parked_order sale(redis_or_memory());
    sale.clear_the_way();
    sale.rebuild_gate();
    CHECK(available(sale.client, sale.product) == 7);
    CHECK(order_id(place_order(sale.client, sale.user, sale.product, 3, "in-the-way")) == sale.id);
    CHECK(audit_fault(sale.world) == "");
    CHECK(sale.decide("retry").exit_code == 0);
    CHECK(audit_fault(sale.world) == "");
    CHECK(sale.run({"list"}).output.find(sale.id) == std::string::npos);
}

TEST_CASE("parked: embedded, nothing is decided beside the process that serves the folder") {
    parked_order sale("memory");
    sale.clear_the_way();
    for (const char* action : {"retry", "drop"}) {
        const auto refused = sale.run({action, sale.id});
        INFO(refused.output);
        CHECK(refused.exit_code == 3);
        CHECK(refused.output.find("another flashsale process uses this folder, pid " +
                                  std::to_string(sale.shop->pid())) != std::string::npos);
        CHECK(refused.output.find("decided about when it has ended") != std::string::npos);
    }
    CHECK(sale.parked() == 1);
    CHECK(sale.world.number(sandbox::database::stock, "SELECT supplied FROM products") == 10);
    CHECK(sale.run({"list"}).exit_code == 0);
    CHECK(audit_fault(sale.world) == "");
    // Where there is no data there is nothing to decide, and nothing is made.
    const scratch_folder none;
    const auto nowhere =
        run({flashsale_binary(), "parked", "drop", sale.id, "--config", embedded_config()},
            {{"FLASHSALE_SQLITE__FOLDER", (none / "data").string()}});
    CHECK(nowhere.exit_code == 3);
    CHECK_FALSE(std::filesystem::exists(none / "data"));
}

TEST_CASE("parked: embedded, what the log still has is not dropped: it could become an order") {
    parked_order sale("memory");
    sale.close();
    const auto event = *sale.world.sql(sandbox::database::order, "SELECT event FROM parked")[0][0];
    // As a kill between parking and acknowledging leaves it.
    const auto log = sale.world.folder() / "log.db";
    run_sqlite(log, "INSERT INTO entries SELECT position + 1, '[" + event + "]' FROM cursors");
    sale.clear_the_way();
    const auto kept = sale.decide("drop");
    INFO(kept.output);
    CHECK(kept.exit_code == 1);
    CHECK(kept.output.find("the log still has it") != std::string::npos);
    CHECK(sale.world.number(sandbox::database::stock, "SELECT supplied FROM products") == 10);
    // What the advice brings: the start records it, and it is an order that can only be retried.
    sale.open();
    CHECK(sale.client.get("/v1/orders/" + sale.id).status == 200);
    CHECK(available(sale.client, sale.product) == 7);
    CHECK(sale.decide("drop").exit_code == 1);
    CHECK(sale.run({"retry", sale.id}).exit_code == 0);
    CHECK(audit_fault(sale.world) == "");
}

TEST_CASE("parked: one that a later gate refused holds nothing, and is asked for again") {
    parked_order sale("redis");
    sale.clear_the_way();
    REQUIRE(sale.decide("retry").exit_code == 0);
    REQUIRE(outcome(place_order(sale.client, sale.user, sale.product, 7)) == "201");
    REQUIRE(audit_fault(sale.world) == "");
    REQUIRE(sale.world.rebuild().exit_code == 0);
    flashsale::uuid_generator make;
    order_accepted late;
    late.id = make.make();
    late.user_id = sale.user;
    late.product_id = sale.product;
    late.quantity = 2;
    late.idempotency_key = "late";
    late.unit_price = product_options{}.price;
    late.created_at = late.id.time();
    late.epoch = 1;
    late.seq = 500;
    publish(sale.world, "[" + text_of(late) + "]");
    const std::string id = late.id.to_string();
    REQUIRE(eventually(60s, [&] { return sale.parked() == 1; }));
    CHECK(sale.run({"list"}).output.find("holds no units") != std::string::npos);
    CHECK(audit_fault(sale.world) == "");
    // Asked again in vain, then with stock.
    CHECK(sale.run({"retry", id}).exit_code == 0);
    REQUIRE(eventually(60s, [&] { return sale.parked() == 1; }));
    REQUIRE(sale.client
                .post("/v1/products/" + std::to_string(sale.product) + "/restock",
                      json::value{{"quantity", 5}})
                .status == 200);
    CHECK(sale.run({"retry", id}).exit_code == 0);
    CHECK(eventually(60s, [&] { return sale.client.get("/v1/orders/" + id).status == 200; }));
    CHECK(available(sale.client, sale.product) == 3);
    CHECK(audit_fault(sale.world) == "");
}
