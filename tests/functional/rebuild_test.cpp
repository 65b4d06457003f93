// Redis lost its data, or may have: nothing is sold from it until its gate is rebuilt from the
// record, and then all goes on as if nothing had happened.

#include <catch2/catch.hpp>
#include <flashsale/events/event.hpp>

#include <set>

#include "publish.hpp"
#include "shop.hpp"

using namespace flashsale::test;
using flashsale::events::order_accepted;
using namespace std::chrono_literals;

namespace {

const environment quick{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                        {"FLASHSALE_RECOVERY__LEASE_MS", "1000"},
                        {"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "2000"}};

std::int64_t orders_in(const sandbox& world) {
    return world.number(sandbox::database::order, "SELECT count(*) FROM orders");
}

std::int64_t epoch_of(const sandbox& world) {
    return world.number(sandbox::database::stock, "SELECT epoch FROM shards");
}

bool is_open(const sandbox& world) {
    return world.number(sandbox::database::stock,
                        "SELECT count(*) FROM shards WHERE state = 'open'") == 1;
}

/// What an answer may be while a gate is closed and opened again, and Redis comes and goes.
bool is_honest(const std::string& outcome) {
    return outcome == "201" || outcome == "503 rebuilding" ||
           outcome == "503 dependency_unavailable" || outcome == "503 outcome_unknown";
}

/// A shop with things that a rebuilt gate has to know of: a product sold out, a user at the limit,
/// a reduction, a key.
struct remembered {
    std::int64_t user, sold_out, limited;
    std::string first;

    explicit remembered(http_client& client) {
        user = make_user(client, "remembered");
        sold_out = make_product(client, 3);
        limited = make_product(client, 100, {.per_user_limit = 2});
        const auto made = place_order_and_know(client, user, sold_out, 2, "first");
        if (made.status != 201) throw std::runtime_error(made.body);
        first = order_id(made);
        REQUIRE(outcome(place_order_and_know(client, user, limited, 2, "limit")) == "201");
        REQUIRE(reduce(client).status == 200);
        check(client);
    }

    http_response reduce(http_client& client) const {
        return client.post("/v1/products/" + std::to_string(sold_out) + "/reduce-stock",
                           json::value{{"quantity", 1}}, {{"Idempotency-Key", "reduced"}});
    }

    void check(http_client& client) const {
        const auto again = place_order_and_know(client, user, sold_out, 2, "first");
        CHECK(outcome(again) == "201");
        CHECK(again.header("idempotent-replayed") == "true");
        CHECK(order_id(again) == first);
        CHECK(outcome(place_order_and_know(client, user, sold_out, 1, "more")) ==
              "400 out_of_stock");
        CHECK(outcome(place_order_and_know(client, user, sold_out, 1, "first")) ==
              "422 idempotency_key_reused");
        CHECK(outcome(place_order_and_know(client, user, limited, 1, "over")) ==
              "409 purchase_limit");
        CHECK(reduce(client).header("idempotent-replayed") == "true");
        CHECK(available(client, limited) == 98);
    }
};

/// What is checked of the damage once the gate is open again.
using aftermath = std::function<void()>;

void check_rebuilds_after(const std::function<aftermath(const sandbox&)>& damage,
                          const environment& how = quick) {
    const sandbox world(how);
    const flashsale_process shop(world), second(world);
    auto client = shop.client();
    const remembered before(client);
    const auto product = make_product(client, 1'000'000);
    std::vector<std::int64_t> users;
    for (const auto user : make_users(client, 20))
        users.insert(users.end(), 100'000, user);  // refusals are fast
    order_load load(shop, users, product);
    REQUIRE(eventually(60s, [&] { return load.seen("201") > 200; }));
    // A rebuild waits for its barrier to be recorded. As long as none is, the gate stays closed,
    // and whenever the workers' connections are back, they find it so.
    std::optional<table_lock> barriers(std::in_place, world.url(sandbox::database::order),
                                       "barriers");
    const aftermath check_damage = damage(world);
    REQUIRE(eventually(60s, [&] { return load.seen("503 rebuilding") > 0; }));
    barriers.reset();
    REQUIRE(eventually(60s, [&] { return is_open(world) && epoch_of(world) > 1; }));
    const auto at_opening = load.seen("201");
    REQUIRE(eventually(60s, [&] { return load.seen("201") > at_opening + 200; }));
    const auto sent = load.stop();
    if (check_damage) check_damage();

    CHECK(eventually(60s, [&] { return client.get("/readyz").status == 200; }));
    auto other = second.client();
    CHECK(eventually(60s, [&] { return other.get("/readyz").status == 200; }));
    before.check(other);
    before.check(client);

    std::set<std::string> accepted;
    for (const auto& one : sent) {
        REQUIRE(one.answer.has_value());
        const std::string what = outcome(*one.answer);
        CHECK(is_honest(what));
        if (what == "201") CHECK(accepted.insert(order_id(*one.answer)).second);
    }
    CHECK(accepted.size() > 400);
    // What is unknown or refused, the same key settles; and what was accepted stays what it was.
    std::size_t settled = 0;
    for (std::size_t i = 0; i < sent.size() && settled < 100; ++i) {
        if (outcome(*sent[i].answer) == "503 outcome_unknown") {
            ++settled;
            CHECK(outcome(place_order_and_know(client, sent[i].user, product, 1, sent[i].key)) ==
                  "201");
        } else if (sent[i].answer->status == 201 && i % 97 == 0) {
            CHECK(order_id(place_order_and_know(client, sent[i].user, product, 1, sent[i].key)) ==
                  order_id(*sent[i].answer));
        }
    }
    CHECK(audit_fault(world) == "");
    for (const auto& row : world.sql(sandbox::database::order, "SELECT id FROM orders"))
        accepted.erase(*row[0]);
    CHECK(accepted.empty());
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM parked") == 0);
}

}  // namespace

TEST_CASE(
    "redis restarted under load: 503 rebuilding until its gate is rebuilt, then it sells on") {
    check_rebuilds_after([](const sandbox&) {
        stack::restart(stack::server::redis);
        return aftermath{};
    });
}

TEST_CASE("redis restarted empty under load: 503 rebuilding until its gate is rebuilt") {
    check_rebuilds_after([](const sandbox&) {
        stack::restart_empty(stack::server::redis);
        return aftermath{};
    });
}

TEST_CASE("redis flushed under load: 503 rebuilding until its gate is rebuilt") {
    check_rebuilds_after([](const sandbox&) {
        stack::redis_cli({"FLUSHALL"});
        return aftermath{};
    });
}

TEST_CASE("redis made a replica and promoted again: 503 rebuilding until its gate is rebuilt") {
    check_rebuilds_after([](const sandbox&) {
        stack::redis_cli({"REPLICAOF", "127.0.0.1", "1"});
        stack::redis_cli({"REPLICAOF", "NO", "ONE"});
        return aftermath{};
    });
}

TEST_CASE("rebuild: by hand, on a live gate under load: nothing is lost, doubled or oversold") {
    environment patient = quick;
    patient["FLASHSALE_RECOVERY__LEASE_MS"] = "60000";  // on a busy machine no other takes over
    check_rebuilds_after(
        [](const sandbox& world) -> aftermath {
            const auto by_hand = std::make_shared<process>(
                std::vector<std::string>{flashsale_binary(), "rebuild", "--shard", "0", "--config",
                                         world.config_file()},
                world.variables());
            return [by_hand] {
                CHECK(by_hand->wait(60s) == 0);
                INFO(by_hand->output());
                CHECK(by_hand->output().contains("shard 0 is open, epoch 2"));
            };
        },
        patient);
}

TEST_CASE("rebuild: waits for the recorder, however long, and sells nothing meanwhile") {
    const sandbox world(quick);
    const flashsale_process shop(world, {{"FLASHSALE_RECORDER__ENABLED", "false"}});
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 50);
    std::set<std::string> accepted;
    for (int i = 0; i < 50; ++i) {
        const auto answer =
            place_order_and_know(client, user, product, 1, "before-" + std::to_string(i));
        REQUIRE(outcome(answer) == "201");
        accepted.insert(order_id(answer));
    }
    stack::redis_cli({"FLUSHALL"});
    const auto until = std::chrono::steady_clock::now() + 4s;
    while (std::chrono::steady_clock::now() < until) {
        const auto answer = place_order(client, user, product, 1);
        REQUIRE(outcome(answer) == "503 rebuilding");
        REQUIRE_FALSE(answer.header("retry-after").empty());
        std::this_thread::sleep_for(50ms);
    }
    CHECK(outcome(client.get("/readyz")) == "503 dependency_unavailable");
    // An order that is not recorded and cannot be looked up at the gate is not called absent.
    CHECK(client.get("/v1/orders/01890a5d-ac96-7000-bcce-b302099a8057").status == 503);
    const flashsale_process recorder(world);
    CHECK(eventually(
        60s, [&] { return outcome(place_order(client, user, product, 1)) == "400 out_of_stock"; }));
    CHECK(eventually(60s, [&] { return client.get("/readyz").status == 200; }));
    CHECK(orders_in(world) == 50);
    for (const auto& id : accepted)
        CHECK(client.get("/v1/orders/" + id).status == 200);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("rebuild: killed in the middle again and again, the next one begins anew") {
    const sandbox world(quick);
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const remembered before(client);
    const auto product = make_product(client, 1'000'000);
    const auto users = make_users(client, 20);
    for (const auto user : users)
        REQUIRE(outcome(place_order_and_know(client, user, product, 1, "before")) == "201");
    for (int round = 0; round < 6; ++round) {
        stack::redis_cli({"FLUSHALL"});
        // The deadline is 2 s, so these are before, in and behind each of the steps.
        std::this_thread::sleep_for(std::chrono::milliseconds{400 + 380 * round});
        shop->kill(SIGKILL);
        REQUIRE(shop->wait(60s) == 128 + SIGKILL);
        shop.emplace(world);
        client = shop->client();
        REQUIRE(eventually(
            60s, [&] { return outcome(place_order(client, users[0], product, 1)) == "201"; }));
        before.check(client);
        CHECK(audit_fault(world) == "");
    }
}

TEST_CASE("rebuild: begun on an open gate by a process that died: another one does it") {
    const sandbox world(quick);
    const flashsale_process shop(world);
    auto client = shop.client();
    const remembered before(client);
    world.sql(sandbox::database::stock,
              "UPDATE shards SET state = 'rebuilding', epoch = epoch + 1,"
              " lease_holder = gen_random_uuid(), lease_until = now() + interval '500 ms',"
              " lease_session = pg_backend_pid()");
    CHECK(eventually(60s, [&] {
        return world.number(sandbox::database::stock,
                            "SELECT count(*) FROM shards WHERE state = 'open' AND epoch = 3") == 1;
    }));
    before.check(client);
    const flashsale_process another(world);
    auto other = another.client();
    before.check(other);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("rebuild: a survivor that is no event of this version is parked, and not waited for") {
    environment patient = quick;
    patient["FLASHSALE_RECOVERY__LEASE_MS"] = "60000";  // as above
    const sandbox world(patient);
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 5);
    REQUIRE(outcome(place_order_and_know(client, user, product, 1, "one")) == "201");
    const std::string last = "p:" + std::to_string(product);
    std::string outbox = stack::redis_cli({"--raw", "KEYS", "*:1:" + last});
    REQUIRE(outbox.contains(last));
    outbox.replace(outbox.find(last), std::string::npos, "outbox");
    const std::string id = flashsale::uuid_generator().make().to_string();
    stack::redis_cli({"HSET", outbox, id, R"({"version":2,"id":")" + id + R"("})"});

    const auto done = world.rebuild();
    INFO(done.output);
    CHECK(done.exit_code == 0);
    CHECK(outcome(place_order_and_know(client, user, product, 4, "rest")) == "201");
    CHECK(outcome(place_order(client, user, product, 1)) == "400 out_of_stock");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM parked") == 1);
}

TEST_CASE("rebuild: a restock and a product made while the gate is closed are there afterwards") {
    const sandbox world(quick);
    const flashsale_process shop(world, {{"FLASHSALE_RECORDER__ENABLED", "false"}});
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 5);
    REQUIRE(outcome(place_order_and_know(client, user, product, 5, "all")) == "201");
    stack::redis_cli({"FLUSHALL"});
    CHECK(outcome(client.post("/v1/products/" + std::to_string(product) + "/restock",
                              json::value{{"quantity", 4}})) == "503 rebuilding");
    CHECK(outcome(client.post("/v1/products",
                              json::value{{"name", "New"}, {"price", 1}, {"stock", 6}})) ==
          "503 rebuilding");
    const auto made =
        world.number(sandbox::database::stock, "SELECT id FROM products WHERE name = 'New'");
    const flashsale_process recorder(world);
    CHECK(eventually(60s,
                     [&] { return outcome(place_order(client, user, made, 6, "made")) == "201"; }));
    CHECK(eventually(
        60s, [&] { return outcome(place_order(client, user, product, 4, "supplied")) == "201"; }));
    CHECK(outcome(place_order(client, user, product, 1)) == "400 out_of_stock");
    CHECK(outcome(place_order(client, user, made, 1)) == "400 out_of_stock");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("rebuild: events of the old gate that come late are asked for again, not recorded") {
    const sandbox world(quick);
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10), sold_out = make_product(client, 1);
    REQUIRE(outcome(place_order_and_know(client, user, sold_out, 1, "last")) == "201");
    const auto known = place_order_and_know(client, user, product, 1, "known");
    REQUIRE(outcome(known) == "201");
    REQUIRE(audit_fault(world) == "");
    stack::redis_cli({"FLUSHALL"});
    REQUIRE(eventually(
        60s, [&] { return outcome(place_order(client, user, product, 1, "after")) == "201"; }));

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
    const order_accepted granted = late(product, "late"), twin = late(product, "after"),
                         refused = late(sold_out, "too late");
    order_accepted recorded = late(product, "known");
    recorded.id = *flashsale::uuid::parse(order_id(known));
    publish(world, "[" + text_of(granted) + "," + text_of(twin) + "," + text_of(refused) + "," +
                       text_of(recorded) + "," + text_of(granted) + "]");

    CHECK(eventually(60s, [&] {
        return world.number(sandbox::database::order,
                            "SELECT count(*) FROM orders WHERE idempotency_key = 'late' AND"
                            " epoch = 2") == 1;
    }));
    CHECK(eventually(60s, [&] {
        return world.number(sandbox::database::order, "SELECT count(*) FROM late") == 0;
    }));
    CHECK(orders_in(world) == 4);
    CHECK(available(client, product) == 7);
    const auto parked =
        world.sql(sandbox::database::order, "SELECT event_id, reason, holds_units FROM parked");
    REQUIRE(parked.size() == 1);
    CHECK(parked[0][0] == refused.id.to_string());
    CHECK(parked[0][1]->find("out_of_stock") != std::string::npos);
    CHECK(parked[0][2] == "f");
    CHECK(audit_fault(world) == "");

    // The operator is told, with the times: it was published after the old gate was shut out.
    const auto audit = world.flashsale({"audit", "--json"});
    INFO(audit.output);
    const auto report = json::parse(audit.last_line());
    const auto& told = report.at("late").as_array();
    REQUIRE(told.size() == 1);
    CHECK(told[0].at("id").as_string() == refused.id.to_string());
    CHECK(told[0].at("state").as_string() == "refused");
    CHECK(told[0].at("epoch").to_number<int>() == 1);
    CHECK(told[0].at("shut_out_by_epoch").to_number<int>() == 2);
    CHECK(told[0].at("perhaps_answered").as_bool());
    CHECK(told[0].as_object().contains("published_at"));
    CHECK(told[0].as_object().contains("rebuild_begun_at"));
    const auto in_words = world.flashsale({"audit"});
    CHECK(in_words.output.find("  late " + refused.id.to_string() +
                               ", refused by the newer gate: user " + std::to_string(user)) !=
          std::string::npos);
}
