// The record is written by one process at a time: by one that can. So is a shard looked after.

#include <catch2/catch.hpp>

#include "fault_proxy.hpp"
#include "shop.hpp"
#include "url_port.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

const environment quick{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                        {"FLASHSALE_RECOVERY__LEASE_MS", "1000"},
                        {"FLASHSALE_POSTGRES__CONNECT_TIMEOUT_MS", "1000"},
                        {"FLASHSALE_POSTGRES__STATEMENT_TIMEOUT_MS", "1000"},
                        {"FLASHSALE_RECORDER__STEP_ASIDE_AFTER_MS", "1000"}};

std::int64_t metric(http_client& client, const std::string& name) {
    const std::string all = client.get("/metrics").body;
    const auto at = all.find("\nflashsale_" + name + " ");
    return at == std::string::npos ? -1 : std::stoll(all.substr(all.find(' ', at)));
}

struct two_shops {
    sandbox world{quick};
    fault_proxy way{"127.0.0.1", port_of(world.url(sandbox::database::order))};
    flashsale_process first{world, through_the_proxy()};
    http_client client = first.client();
    std::optional<flashsale_process> second;
    std::optional<http_client> other;
    std::int64_t user = 0, product = 0, sold = 0;

    two_shops() {
        user = make_user(client, "u");
        product = make_product(client, 1'000);
        sell(client);
        // It records, so it is the one that the log gives the events to.
        REQUIRE(eventually(20s, [&] { return metric(client, "recorder_events_total") > 0; }));
        second.emplace(world);
        other.emplace(second->client());
        sell(*other);
    }

    environment through_the_proxy() const {
        environment out;
        for (const char* name : {"USER", "STOCK", "ORDER"}) {
            const std::string variable = std::string("FLASHSALE_POSTGRES__") + name + "_URL";
            out[variable] = with_port(world.variables().at(variable), way.port());
        }
        return out;
    }

    void sell(http_client& at) {
        REQUIRE(outcome(place_order(at, user, product, 1)) == "201");
        ++sold;
    }

    bool all_recorded() const {
        return world.number(sandbox::database::order, "SELECT count(*) FROM orders") == sold;
    }
};

}  // namespace

TEST_CASE("takeover: who alone cannot record is followed by another, and is the one at fault") {
    const bool silent = GENERATE(false, true);
    INFO((silent ? "silent" : "refused"));
    two_shops it;
    REQUIRE(eventually(20s, [&] { return it.all_recorded(); }));
    if (silent) {
        it.way.black_hole(true);
    } else {
        it.way.close();
    }
    it.sell(*it.other);
    CHECK(eventually(30s, [&] { return it.all_recorded(); }));
    CHECK(eventually(10s, [&] { return metric(*it.other, "recorder_events_total") > 0; }));
    CHECK(metric(it.client, "recorder_steps_aside_total") == 1);
    // The next one to be recorded proves that another records.
    CHECK(eventually(60s, [&] {
        it.sell(*it.other);
        return it.client.get("/readyz").status == 503;
    }));
    const auto why = it.client.get("/readyz").body;
    INFO(why);
    CHECK(why.find("recorder: order database: ") != std::string::npos);
    CHECK(why.find("another process records in its place") != std::string::npos);
    CHECK(it.other->get("/readyz").status == 200);

    it.way.heal();
    CHECK(eventually(60s, [&] { return it.client.get("/readyz").status == 200; }));
    CHECK(it.other->get("/readyz").status == 200);
    // And it takes its turn again when the other one is gone.
    REQUIRE(it.second->terminate() == 0);
    it.sell(it.client);
    CHECK(eventually(30s, [&] { return it.all_recorded(); }));
    CHECK(audit_fault(it.world) == "");
}

TEST_CASE(
    "takeover: if nobody can record, all stay ready, orders go on, and the log is left alone") {
    two_shops it;
    REQUIRE(eventually(20s, [&] { return it.all_recorded(); }));
    {
        outage down(stack::server::postgres, outage::kind::shut_down);
        it.sell(it.client);
        CHECK(eventually(20s, [&] { return metric(it.client, "recorder_steps_aside_total") > 0; }));
        for (int i = 0; i < 20; ++i) {
            it.sell(it.client);
            it.sell(*it.other);
            CHECK(it.client.get("/readyz").status == 200);
            CHECK(it.other->get("/readyz").status == 200);
            std::this_thread::sleep_for(200ms);
        }
        down.end();
    }
    CHECK(eventually(30s, [&] { return it.all_recorded(); }));
    // Each delivery counts, of a million.
    CHECK(metric(it.client, "recorder_steps_aside_total") +
              metric(*it.other, "recorder_steps_aside_total") <=
          3);
    CHECK(audit_fault(it.world) == "");
}

TEST_CASE("takeover: a gate that was lost is rebuilt by another, where the lease's holder cannot") {
    // What the first process, which has the lease, does not reach.
    const std::string server = GENERATE("REDIS", "AMQP");
    const bool silent = GENERATE(false, true);
    INFO(server << (silent ? ", silent" : ", refused"));
    environment patient = quick;
    patient["FLASHSALE_RECORDER__STEP_ASIDE_AFTER_MS"] = "60000";
    const sandbox world(patient);
    const std::string variable = "FLASHSALE_" + server + "__URL";
    const std::string url = std::getenv(variable.c_str());
    fault_proxy way("127.0.0.1", port_of(url));
    environment through{{variable, with_port(url, way.port())}};
    if (silent) {
        through["FLASHSALE_AMQP__STALL_TIMEOUT_MS"] = "2000";
        through["FLASHSALE_REDIS__REPLY_TIMEOUT_MS"] = "1000";
    }
    const flashsale_process first(world, through);
    auto client = first.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    REQUIRE(outcome(place_order_and_know(client, user, product, 1, "before")) == "201");
    const flashsale_process second(world);
    auto other = second.client();

    if (silent) {
        way.black_hole(true);
    } else {
        way.close();
    }
    stack::redis_cli({"DEL", "{" + world.name() + ":0}:gate"});
    CHECK(eventually(60s, [&] { return metric(other, "shard_rebuilds_total") == 1; }));
    // Where it waits for a silent server, its lease may also have run out.
    if (!silent) CHECK(metric(client, "shard_leases_let_go_total") >= 1);
    CHECK(metric(client, "shard_rebuilds_total") == 0);
    CHECK(outcome(place_order_and_know(other, user, product, 1, "between")) == "201");
    CHECK(eventually(20s, [&] { return other.get("/readyz").status == 200; }));

    way.heal();
    way.open();
    CHECK(eventually(60s, [&] { return client.get("/readyz").status == 200; }));
    CHECK(outcome(place_order_and_know(client, user, product, 1, "after")) == "201");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("takeover: whoever may not rebuild a gate leaves it to a process that may") {
    const sandbox world(quick);
    const flashsale_process first(world, {{"FLASHSALE_RECOVERY__REBUILD_AUTOMATICALLY", "false"}});
    auto client = first.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    REQUIRE(outcome(place_order_and_know(client, user, product, 1, "before")) == "201");
    const flashsale_process second(world);
    auto other = second.client();
    stack::redis_cli({"DEL", "{" + world.name() + ":0}:gate"});
    CHECK(eventually(60s, [&] { return metric(other, "shard_rebuilds_total") == 1; }));
    CHECK(metric(client, "shard_leases_let_go_total") >= 1);
    CHECK(eventually(60s, [&] { return client.get("/readyz").status == 200; }));
    CHECK(outcome(place_order_and_know(client, user, product, 1, "after")) == "201");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("takeover: where nobody else is there, who let the lease go takes it again") {
    const sandbox world(quick);
    const std::string url = std::getenv("FLASHSALE_AMQP__URL");
    fault_proxy way("127.0.0.1", port_of(url));
    const flashsale_process only(world, {{"FLASHSALE_AMQP__URL", with_port(url, way.port())}});
    auto client = only.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    REQUIRE(outcome(place_order_and_know(client, user, product, 1, "before")) == "201");
    way.close();
    stack::redis_cli({"DEL", "{" + world.name() + ":0}:gate"});
    // Off, and back without being asked, twice.
    CHECK(eventually(60s, [&] { return metric(client, "shard_leases_let_go_total") == 2; }));
    CHECK(client.get("/readyz").body.contains("is not rebuilt"));
    way.open();
    CHECK(eventually(60s, [&] { return client.get("/readyz").status == 200; }));
    CHECK(metric(client, "shard_rebuilds_total") == 1);
    CHECK(outcome(place_order_and_know(client, user, product, 1, "after")) == "201");
    CHECK(audit_fault(world) == "");
}
