// Orders of 0.1, and products that are held for payment since: what that version has sold is sold,
// and what its recorder cannot read it has set aside, and not sold.

#include <catch2/catch.hpp>
#include <flashsale/amqp.hpp>
#include <flashsale/base/time.hpp>

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <cstdlib>

#include "gates.hpp"
#include "held_orders.hpp"
#include "left_by.hpp"

using namespace flashsale::test;
using database = sandbox::database;

namespace {

const environment quick{{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "100"},
                        {"FLASHSALE_RECOVERY__LEASE_MS", "1000"}};

void hold_from_now_on(const sandbox& world) {
    world.sql(database::stock, "UPDATE products SET payment_window_s = 60");
}

/// It was sold outright, whatever its product is by now.
void check_sold(http_client& client, const std::string& order) {
    INFO(order);
    const auto shown = client.get(path_of(order));
    REQUIRE(outcome(shown) == "200");
    CHECK(text(shown.json(), "order_status") == "SUCCESS");
    CHECK_FALSE(shown.json().as_object().contains("expires_at"));
    CHECK(outcome(pay(client, order)) == "409 order_not_payable");
}

std::string sold_again(http_client& client, std::int64_t user, std::int64_t product,
                       std::int64_t quantity, const std::string& key) {
    const auto again = place_order(client, user, product, quantity, key);
    CHECK(outcome(again) == "201");
    CHECK(text(again.json(), "order_status") == "SUCCESS");
    return order_id(again);
}

void check_held(http_client& client, std::int64_t product) {
    const auto answer = place_order(client, make_user(client, "newcomer"), product, 1);
    REQUIRE(outcome(answer) == "201");
    CHECK(text(answer.json(), "order_status") == "PENDING");
}

}  // namespace

TEST_CASE("upgrade: what 0.1 has left in Redis and the queue is sold, though it is held by now") {
    const sandbox world(quick);
    leave(world);
    REQUIRE(world.flashsale({"migrate"}).exit_code == 0);
    hold_from_now_on(world);
    flashsale_process shop(world);
    auto client = shop.client();
    REQUIRE(eventually(60s, [&] { return client.get("/readyz").status == 200; }));

    const json::value told = json::parse(left_file("answers.json"));
    const auto product = told.at("product").to_number<std::int64_t>();
    for (const json::value& one : told.at("accepted").as_array()) {
        const std::string id = text(one, "id");
        CHECK(sold_again(client, one.at("user").to_number<std::int64_t>(), product,
                         one.at("quantity").to_number<std::int64_t>(), text(one, "key")) == id);
        check_sold(client, id);
    }
    CHECK(world.number(database::order, "SELECT count(*) FROM order_lives") == 0);
    CHECK(world.number(database::order, "SELECT count(*) FROM parked") == 0);
    check_held(client, product);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("upgrade: what 0.1 has left in the database gate's outbox is sold, and held by now") {
    const sandbox world({{"FLASHSALE_STOCK__GATE", "database"}});
    std::vector<std::string> orders;
    std::int64_t product = 0, user = 0;
    {
        flashsale_process shop(world, {{"FLASHSALE_RECORDER__ENABLED", "false"}});
        auto client = shop.client();
        user = make_user(client, "ada");
        product = make_product(client, 100);
        for (int i = 0; i < 5; ++i)
            orders.push_back(
                order_id(place_order(client, user, product, 1, "key-" + std::to_string(i))));
        shop.kill();
        shop.wait(10s);
    }
    stack::rabbitmqctl({"purge_queue", world.name() + ".recorder"});
    // That version wrote the text itself.
    world.sql(database::stock,
              "UPDATE outbox o SET event = '[2,\"' || r.id || '\",' || r.user_id || ',' ||"
              " r.product_id || ',' || r.quantity || ',\"' || r.idempotency_key || '\",' ||"
              " r.unit_price || ',' || r.epoch || ',' || r.seq || ']'"
              " FROM reservations r WHERE r.id = o.event_id");
    REQUIRE(world.number(database::stock, "SELECT count(event) FROM outbox") == 5);
    hold_from_now_on(world);
    flashsale_process shop(world, quick);
    auto client = shop.client();
    REQUIRE(eventually(
        60s, [&] { return world.number(database::order, "SELECT count(*) FROM orders") == 5; }));
    for (std::size_t i = 0; i < orders.size(); ++i) {
        CHECK(sold_again(client, user, product, 1, "key-" + std::to_string(i)) == orders[i]);
        check_sold(client, orders[i]);
    }
    check_held(client, product);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("upgrade: embedded, what 0.1 has left in its log is sold, though it is held by now") {
    const sandbox world(composition::embedded);
    std::int64_t product = 0, user = 0;
    {
        flashsale_process shop(world);
        auto client = shop.client();
        user = make_user(client, "ada");
        product = make_product(client, 100);
        REQUIRE(outcome(place_order(client, user, product, 1, "first")) == "201");
        REQUIRE(shop.terminate() == 0);
    }
    const std::string in_short = "01a21f93-29c8-7000-8b26-a0385dc1003c",
                      in_full = "01a21f93-29df-7000-8290-1cb90575572e";
    const std::string of = std::to_string(user) + "," + std::to_string(product);
    run_sqlite(world.folder() / "log.db",
               "INSERT INTO entries (position, events) SELECT position + 1, '[[2,\"" + in_short +
                   "\"," + of +
                   ",2,\"second\",1999,1,900],{\"version\":1,\"type\":"
                   "\"order_accepted\",\"id\":\"" +
                   in_full + "\",\"shard\":0,\"user_id\":" + std::to_string(user) +
                   ",\"product_id\":" + std::to_string(product) +
                   ",\"quantity\":3,\"idempotency_key\":\"third\",\"created_at\":"
                   "\"2026-11-28T00:34:27.947Z\",\"unit_price\":1999,\"generation\":1,"
                   "\"seq\":901}]' FROM cursors");
    hold_from_now_on(world);
    flashsale_process shop(world);
    auto client = shop.client();
    CHECK(sold_again(client, user, product, 2, "second") == in_short);
    CHECK(sold_again(client, user, product, 3, "third") == in_full);
    for (const std::string& one : {in_short, in_full})
        check_sold(client, one);
    CHECK(available(client, product) == 100 - 1 - 2 - 3);
    check_held(client, product);
    REQUIRE(shop.terminate() == 0);
    CHECK(world.flashsale({"audit"}).exit_code == 0);
}

// ---- a recorder of 0.1 meets orders with holds

namespace {

/// The rule of 0.1's decoder for an order in short, which is all that differs: why it cannot read
/// it. What it cannot read its recorder parked, under a name of the text, and left in the outbox.
std::optional<std::string> set_aside_by_0_1(const json::value& event) {
    const auto* columns = event.if_array();
    if (columns == nullptr || columns->size() < 9 || columns->at(0) != 2)
        return "event: an object, or an array of version 2";
    const json::value& price = columns->at(6);
    if (price.is_int64() && price.get_int64() >= 0) return std::nullopt;
    return "unit_price: an integer from 0 to 9223372036854775807";
}

std::vector<json::value> take_events_out_of_queue(const sandbox& world) {
    namespace amqp = flashsale::amqp;
    amqp::options settings;
    settings.url = std::getenv("FLASHSALE_AMQP__URL");
    amqp::topology names;
    names.exchange = world.name() + ".stranger";
    names.queue = world.name() + ".recorder";
    names.binding_key = "stranger";
    names.dead_letter_exchange = world.name() + ".dead";
    names.dead_letter_queue = world.name() + ".dead";
    amqp::consumer in(settings, names, 1'000);
    std::vector<json::value> out;
    while (true) {
        const auto some = in.receive(1'000, 2s);
        REQUIRE(some.has_value());
        if (some->empty()) break;
        for (const amqp::delivery& one : *some) {
            const json::value events = json::parse(one.body);
            for (const json::value& event : events.as_array())
                out.push_back(event);
        }
    }
    in.close();
    stack::rabbitmqctl({"purge_queue", names.queue});
    return out;
}

std::string park_as_0_1(const sandbox& world, const json::value& event, const std::string& why) {
    const std::string as_text = json::serialize(event);
    const std::string id =
        to_string(boost::uuids::name_generator_sha1(boost::uuids::ns::oid())(as_text));
    world.sql(database::order, "INSERT INTO parked (event_id, event, reason) VALUES ('" + id +
                                   "', '" + as_text + "', '" + why + "')");
    return id;
}

}  // namespace

TEST_CASE("upgrade: held orders that 0.1's recorder has set aside are held again by a retry") {
    // Until a person decides, they are in the outbox; or its gate is lost, and they are parked
    // alone.
    const bool gate_is_lost = GENERATE(false, true);
    CAPTURE(gate_is_lost);
    const sandbox world(quick);
    std::int64_t user = 0, outright = 0, patient = 0, brief = 0;
    std::string sold, held, over, ends_at;
    {
        flashsale_process shop(world, {{"FLASHSALE_RECORDER__ENABLED", "false"}});
        auto client = shop.client();
        user = make_user(client, "ada");
        deposit(client, user, 100);
        outright = make_product(client, 10);
        patient = make_held_product(client, {.stock = 10});
        brief = make_held_product(client, {.stock = 10, .window_s = 1});
        sold = order_id(place_order(client, user, outright, 1, "sold"));
        const auto answer = place_order(client, user, patient, 1, "held");
        held = order_id(answer);
        ends_at = text(answer.json(), "expires_at");
        over = order_id(place_order(client, user, brief, 1, "over"));
        shop.kill();
        shop.wait(10s);
    }
    std::vector<std::string> parked;
    for (const json::value& event : take_events_out_of_queue(world)) {
        const auto why = set_aside_by_0_1(event);
        const bool is_barrier = event.is_object();
        if (why && !is_barrier) {
            parked.push_back(park_as_0_1(world, event, *why));
        } else {
            publish(world, json::serialize(json::array{event}));
        }
    }
    REQUIRE(parked.size() == 2);
    if (gate_is_lost) {
        std::istringstream keys(
            stack::redis_cli({"--scan", "--pattern", "{" + world.name() + "*"}));
        for (std::string key; std::getline(keys, key);)
            stack::redis_cli({"DEL", key});
    }

    flashsale_process shop(world);
    auto client = shop.client();
    REQUIRE(eventually(60s, [&] { return client.get("/readyz").status == 200; }));
    REQUIRE(eventually(60s, [&] { return client.get(path_of(sold)).status == 200; }));
    // However many write them down, each holds one unit.
    CHECK(becomes_available(client, patient, 9));
    check_sold(client, sold);
    for (const std::string& id : parked) {
        const auto retried = world.flashsale({"parked", "retry", id});
        INFO(retried.output);
        CHECK(retried.exit_code == 0);
    }
    CHECK(world.number(database::order, "SELECT count(*) FROM parked") == 0);
    const auto shown = client.get(path_of(held)).json();
    CHECK(text(shown, "order_status") == "PENDING");
    CHECK(text(shown, "expires_at") == ends_at);
    CHECK(outcome(pay(client, held)) == "201");
    CHECK(eventually(20s, [&] { return status(client, over) == "EXPIRED"; }));
    CHECK(becomes_available(client, brief, 10));
    CHECK(available(client, patient) == 9);
    CHECK(available(client, outright) == 9);
    CHECK(order_id(place_order(client, user, patient, 1, "held")) == held);
    CHECK(audit_fault(world) == "");
}
