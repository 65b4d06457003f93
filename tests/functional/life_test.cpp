// What becomes of an order over HTTP: held, paid for, cancelled, or expired, and its units for sale
// again.

#include <catch2/catch.hpp>

#include <set>

#include "gates.hpp"
#include "held_orders.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

TEST_CASE("life: a held order says until when, and is paid for from the balance") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto product = make_held_product(client, {.stock = 2});
    const auto placed = place_order(client, user, product, 2, "k");
    REQUIRE(outcome(placed) == "201");
    CHECK(text(placed.json(), "order_status") == "PENDING");
    const std::string expires = text(placed.json(), "expires_at");
    CHECK(expires > text(placed.json(), "created_at"));
    const std::string order = order_id(placed);

    const auto poor = pay(client, order, "first");
    CHECK(outcome(poor) == "402 insufficient_balance");
    CHECK(status(client, order) == "PENDING");
    deposit(client, user, 250);
    const auto again = pay(client, order, "first");
    CHECK(outcome(again) == "402 insufficient_balance");  // a key has one answer
    CHECK(again.header("idempotent-replayed") == "true");

    const auto paid = pay(client, order, "second");
    REQUIRE(outcome(paid) == "201");
    CHECK(paid.json().at("amount").as_int64() == 200);
    CHECK(text(paid.json(), "state") == "succeeded");
    CHECK(paid.header("idempotency-key") == "second");
    CHECK(paid.header("idempotent-replayed").empty());
    CHECK(balance(client, user) == 50);
    for (const auto& repeated : {pay(client, order, "second"), pay(client, order)}) {
        CHECK(outcome(repeated) == "201");
        CHECK(repeated.header("idempotent-replayed") == "true");
        CHECK(text(repeated.json(), "id") == text(paid.json(), "id"));
    }
    const auto twice = pay(client, order, "third");
    CHECK(outcome(twice) == "409 order_not_payable");
    CHECK(text(twice.json(), "order_status") == "PAID");
    CHECK_FALSE(text(twice.json(), "since").empty());
    CHECK(outcome(cancel(client, order)) == "409 order_not_cancellable");
    CHECK(balance(client, user) == 50);

    const auto shown = client.get(path_of(order)).json();
    CHECK(text(shown, "order_status") == "PAID");
    CHECK(text(shown, "expires_at") == expires);
    CHECK(shown.at("total").as_int64() == 200);
    CHECK(shown.at("lines").as_array().size() == 1);
    REQUIRE(shown.at("payments").as_array().size() == 2);
    CHECK(text(shown.at("payments").at(0), "state") == "failed");
    CHECK(text(shown.at("payments").at(1), "state") == "succeeded");
    const auto history = client.get(path_of(order, "/changes")).json().at("items").as_array();
    REQUIRE(history.size() == 1);
    CHECK(text(history[0], "from") == "PENDING");
    CHECK(text(history[0], "to") == "PAID");
    const std::string entries_path = "/v1/users/" + std::to_string(user) + "/entries";
    const auto entries = client.get(entries_path).json().at("items").as_array();
    REQUIRE(entries.size() == 2);
    CHECK(text(entries[0], "kind") == "payment");
    CHECK(entries[0].at("amount").as_int64() == -200);
    CHECK(text(entries[0], "order_id") == order);
    CHECK(text(entries[0], "payment_id") == text(paid.json(), "id"));
    CHECK_FALSE(entries[1].as_object().contains("order_id"));
    CHECK_FALSE(entries[1].as_object().contains("payment_id"));
    const auto csv = client.get(entries_path, {{"Accept", "text/csv"}}).body;
    CHECK(csv.contains(",payment,-200,50,"));
    CHECK(csv.contains("," + order + "," + text(paid.json(), "id") + "\r\n"));

    // The key of its placing tells what has become of it.
    const auto repeated = place_order(client, user, product, 2, "k");
    CHECK(outcome(repeated) == "201");
    CHECK(repeated.header("idempotent-replayed") == "true");
    CHECK(text(repeated.json(), "order_status") == "PAID");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("life: a cancelled order's units are for sale again, once") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto users = make_users(client, 2);
    const auto product = make_held_product(client, {.stock = 3, .per_user_limit = 3});
    const std::string order = order_id(place_order(client, users[0], product, 3, "k"));
    CHECK(outcome(place_order(client, users[1], product, 1)) == "400 out_of_stock");
    const auto cancelled = cancel(client, order, R"({"reason":"changed my mind"})");
    REQUIRE(outcome(cancelled) == "200");
    CHECK(text(cancelled.json(), "order_status") == "CANCELLED");
    const auto again = cancel(client, order);
    CHECK(outcome(again) == "200");
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(becomes_available(client, product, 3));
    CHECK(outcome(pay(client, order)) == "409 order_not_payable");
    const auto history = client.get(path_of(order, "/changes")).json().at("items").as_array();
    REQUIRE(history.size() == 1);
    CHECK(text(history[0], "reason") == "changed my mind");

    // The limit counts live units; the key stays used.
    CHECK(outcome(place_order(client, users[0], product, 2)) == "201");
    CHECK(outcome(place_order(client, users[0], product, 2)) == "409 purchase_limit");
    const auto replayed = place_order(client, users[0], product, 3, "k");
    CHECK(outcome(replayed) == "201");
    CHECK(order_id(replayed) == order);
    CHECK(text(replayed.json(), "order_status") == "CANCELLED");
    CHECK(outcome(place_order(client, users[1], product, 1)) == "201");
    CHECK(available(client, product) == 0);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("life: a hold that is not paid for ends, and the next one gets its units") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto users = make_users(client, 2);
    const auto product = make_held_product(client, {.stock = 1, .window_s = 1});
    const auto placed = place_order(client, users[0], product, 1);
    REQUIRE(outcome(placed) == "201");
    const std::string order = order_id(placed);
    CHECK(becomes_available(client, product, 1));
    CHECK(status(client, order) == "EXPIRED");
    CHECK(outcome(pay(client, order)) == "409 order_not_payable");
    CHECK(outcome(cancel(client, order)) == "409 order_not_cancellable");
    CHECK(outcome(place_order(client, users[1], product, 1)) == "201");
    CHECK(becomes_available(client, product, 1));
    CHECK(audit_fault(world) == "");
}

TEST_CASE("life: an order sold outright can be cancelled, and written off") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto product = make_product(client, 2, {.per_user_limit = 1});
    const std::string order = order_id(place_order(client, user, product, 1));
    CHECK(outcome(pay(client, order)) == "409 order_not_payable");
    CHECK(outcome(place_order(client, user, product, 1)) == "409 purchase_limit");
    REQUIRE(outcome(cancel(client, order, R"({"restock":false})")) == "200");
    // Its units are gone, and the buyer may have others.
    CHECK(eventually(20s, [&] { return outcome(place_order(client, user, product, 1)) == "201"; }));
    CHECK(available(client, product) == 0);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("life: what was accepted a moment ago can be paid for and cancelled, recorded or not") {
    const std::string gate = redis_or_memory();
    const sandbox world(with_gate(gate));
    environment how;
    if (gate == "redis") how = {{"FLASHSALE_RECORDER__ENABLED", "false"}};
    const flashsale_process shop(world, how);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    deposit(client, user, 1'000);
    const auto product = make_held_product(client, {.stock = 10});
    const std::string paid = order_id(place_order(client, user, product, 1));
    CHECK(outcome(pay(client, paid)) == "201");
    CHECK(status(client, paid) == "PAID");
    const std::string cancelled = order_id(place_order(client, user, product, 1));
    CHECK(outcome(cancel(client, cancelled)) == "200");
    CHECK(status(client, cancelled) == "CANCELLED");
    CHECK(becomes_available(client, product, 9));
}

TEST_CASE("life: a gate that is built anew knows who has returned what") {
    const sandbox world(with_gate(redis_or_memory()));
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto user = make_user(client, "ada");
    const auto product = make_held_product(client, {.stock = 10, .per_user_limit = 3});
    const std::string first = order_id(place_order(client, user, product, 3, "first"));
    REQUIRE(outcome(cancel(client, first)) == "200");
    REQUIRE(becomes_available(client, product, 10));
    const std::string second = order_id(place_order(client, user, product, 2, "second"));
    REQUIRE(audit_fault(world) == "");
    if (world.kind() == composition::stack) {
        const auto rebuilt = world.rebuild();
        CAPTURE(rebuilt.output);
        REQUIRE(rebuilt.exit_code == 0);
    } else {
        shop.reset();
        shop.emplace(world);
    }
    auto again = shop->client();
    CHECK(becomes_available(again, product, 8));
    CHECK(outcome(place_order_and_know(again, user, product, 2, "third")) == "409 purchase_limit");
    CHECK(outcome(place_order_and_know(again, user, product, 1, "fourth")) == "201");
    CHECK(outcome(place_order_and_know(again, user, product, 1, "fifth")) == "409 purchase_limit");
    // The numbers go on from where they were.
    REQUIRE(outcome(cancel(again, second)) == "200");
    CHECK(becomes_available(again, product, 9));
    CHECK(outcome(place_order_and_know(again, user, product, 3, "sixth")) == "409 purchase_limit");
    CHECK(outcome(place_order_and_know(again, user, product, 2, "seventh")) == "201");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("life: bad input names its field, and changes nothing") {
    const sandbox world(with_gate("memory"));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto product = make_held_product(client, {});
    const std::string order = order_id(place_order(client, user, product, 1));
    const auto refused = [&](const char* path, const char* body, const char* field) {
        const auto answer = client.post(path_of(order, path), body);
        INFO(path << ' ' << body << ": " << answer.body);
        CHECK(outcome(answer) == "400 bad_request");
        CHECK(text(answer.json(), "field") == field);
    };
    refused("/payments", "{}", "method");
    refused("/payments", R"({"method":"barter"})", "method");
    refused("/payments", R"({"method":1})", "method");
    refused("/payments", R"({"method":"balance","amount":1})", "amount");
    refused("/cancel", R"({"reason":""})", "reason");
    refused("/cancel", R"({"reason":7})", "reason");
    refused("/cancel", R"({"restock":"no"})", "restock");
    refused("/cancel", R"({"order":1})", "order");
    CHECK(outcome(client.post(path_of(order, "/payments"), "[")) == "400 malformed_json");
    const std::string stranger = "01a20000-0000-7000-8000-000000000001";
    for (const std::string& none : {std::string("x"), stranger}) {
        CHECK(outcome(pay(client, none)) == "404 order_not_found");
        CHECK(outcome(cancel(client, none)) == "404 order_not_found");
        CHECK(outcome(client.get(path_of(none, "/changes"))) == "404 order_not_found");
    }
    CHECK(status(client, order) == "PENDING");
}

TEST_CASE("life: of many who pay and cancel at once one is first, and the money fits") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    deposit(client, user, 500);
    const auto product = make_held_product(client, {.stock = 20});
    std::vector<std::string> orders;
    for (int i = 0; i < 20; ++i)
        orders.push_back(order_id(place_order(client, user, product, 1)));
    const auto all = parallel(8, [&](std::size_t thread) {
        auto mine = shop.client();
        std::vector<std::string> outcomes;
        for (const std::string& order : orders) {
            const auto answer =
                thread % 2 == 0 ? pay(mine, order, std::to_string(thread)) : cancel(mine, order);
            outcomes.push_back(outcome(answer));
        }
        return outcomes;
    });
    const std::set<std::string> known{"201", "200", "402 insufficient_balance",
                                      "409 order_not_payable", "409 order_not_cancellable"};
    for (const auto& outcomes : all) {
        for (const std::string& one : outcomes) {
            INFO(one);
            CHECK(known.contains(one));
        }
    }
    std::int64_t paid = 0, cancelled = 0;
    for (const std::string& order : orders) {
        const std::string now = status(client, order);
        paid += now == "PAID";
        cancelled += now == "CANCELLED";
    }
    CHECK(paid + cancelled == 20);
    CHECK(paid <= 5);
    CHECK(balance(client, user) == 500 - 100 * paid);
    CHECK(becomes_available(client, product, cancelled));
    CHECK(audit_fault(world) == "");
}

TEST_CASE("life: the audit tells a falsified row of an order's life by its sum") {
    const sandbox world(with_gate("redis"));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    deposit(client, user, 1'000);
    const auto product = make_held_product(client, {.stock = 5, .per_user_limit = 5});
    const std::string paid = order_id(place_order(client, user, product, 1));
    REQUIRE(outcome(pay(client, paid)) == "201");
    const std::string cancelled = order_id(place_order(client, user, product, 2));
    REQUIRE(outcome(cancel(client, cancelled)) == "200");
    REQUIRE(becomes_available(client, product, 4));
    REQUIRE(audit_fault(world) == "");

    using database = sandbox::database;
    struct falsification {
        database where;
        std::string done, undone, sum;
    };
    const std::string of_paid = " WHERE id = '" + paid + "'";
    const std::string of_cancelled = " WHERE id = '" + cancelled + "'";
    const std::vector<falsification> all{
        {database::order, "UPDATE orders SET order_status = 'PENDING'" + of_cancelled,
         "UPDATE orders SET order_status = 'CANCELLED'" + of_cancelled,
         "returns and ended orders match one to one"},
        {database::order, "UPDATE orders SET order_status = 'CANCELLED'" + of_paid,
         "UPDATE orders SET order_status = 'PAID'" + of_paid,
         "returns and ended orders match one to one"},
        {database::order, "UPDATE payments SET amount = amount + 1",
         "UPDATE payments SET amount = amount - 1",
         "every paid order has one payment of its total"},
        {database::order, "UPDATE payments SET state = 'failed'",
         "UPDATE payments SET state = 'succeeded'", "money that was taken has paid its order"},
        {database::user, "UPDATE charge_decisions SET taken = false",
         "UPDATE charge_decisions SET taken = true", "what was paid for was taken"},
        {database::user, "UPDATE balance_entries SET balance_after = balance_after + 1",
         "UPDATE balance_entries SET balance_after = balance_after - 1",
         "each entry leads from one balance to the next"},
        {database::user, "UPDATE balance_entries SET payment_id = order_id WHERE kind = 'payment'",
         "UPDATE balance_entries SET payment_id = idempotency_key::uuid WHERE kind = 'payment'",
         "payments taken and entries match one to one"},
        {database::stock, "UPDATE products SET returned = returned + 1",
         "UPDATE products SET returned = returned - 1", "returned = sum of returns"},
        {database::stock, "UPDATE buyer_returns SET returned = returned + 1",
         "UPDATE buyer_returns SET returned = returned - 1",
         "a buyer's returns = sum of the buyer's returned orders"},
    };
    for (const falsification& one : all) {
        INFO(one.done);
        world.sql(one.where, one.done);
        const auto audit = world.flashsale({"audit"});
        CHECK(audit.exit_code == 1);
        INFO(audit.output);
        CHECK(audit.output.find(one.sum) != std::string::npos);
        world.sql(one.where, one.undone);
    }
    CHECK(audit_fault(world) == "");
}
