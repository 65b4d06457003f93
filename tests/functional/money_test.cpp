// Money from outside over HTTP, and money that goes back.

#include <catch2/catch.hpp>

#include <set>

#include "gates.hpp"
#include "held_orders.hpp"

using namespace flashsale::test;

TEST_CASE("money: from outside it pays its order, once for each reference") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto product = make_held_product(client, {.stock = 4});
    const std::string order = order_id(place_order(client, user, product, 2));
    const auto paid = tell(client, order, "card-1", 200);
    REQUIRE(outcome(paid) == "201");
    CHECK(text(paid.json(), "method") == "external");
    CHECK(text(paid.json(), "reference") == "card-1");
    CHECK(text(paid.json(), "state") == "succeeded");
    CHECK(text(paid.json(), "order_id") == order);
    CHECK(paid.header("idempotent-replayed").empty());
    CHECK(status(client, order) == "PAID");
    const auto again = tell(client, order, "card-1", 200);
    CHECK(outcome(again) == "201");
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(text(again.json(), "id") == text(paid.json(), "id"));

    const auto twice = tell(client, order, "card-2", 200);
    CHECK(outcome(twice) == "409 order_not_payable");
    CHECK(text(twice.json(), "order_status") == "PAID");
    CHECK(text(twice.json().at("payment"), "state") == "refund_due");
    CHECK(text(twice.json().at("payment"), "reason") == "order_not_payable");
    const auto asked_again = tell(client, order, "card-2", 200);
    CHECK(outcome(asked_again) == "409 order_not_payable");
    CHECK(asked_again.header("idempotent-replayed") == "true");
    const std::string other = order_id(place_order(client, user, product, 1));
    CHECK(outcome(tell(client, other, "card-1", 100)) == "422 reference_taken");
    CHECK(outcome(tell(client, order, "card-1", 100)) == "422 reference_taken");
    const auto wrong = tell(client, other, "card-3", 99);
    CHECK(outcome(wrong) == "409 amount_mismatch");
    CHECK(text(wrong.json(), "order_status") == "PENDING");
    CHECK(outcome(tell(client, other, "card-4", 100)) == "201");
    CHECK(owed(client).size() == 2);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("money: what comes for an order that has ended is owed, and confirmed when it is back") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto short_hold = make_held_product(client, {.stock = 1, .window_s = 1});
    const auto outright = make_product(client, 1);
    const std::string expired = order_id(place_order(client, user, short_hold, 1));
    const std::string sold = order_id(place_order(client, user, outright, 1));
    REQUIRE(becomes_available(client, short_hold, 1));
    // Another has its unit by then.
    const std::string next = order_id(place_order(client, user, short_hold, 1));
    REQUIRE(outcome(tell(client, next, "in-time", 100)) == "201");
    const auto late = tell(client, expired, "late", 100);
    CHECK(outcome(late) == "409 payment_too_late");
    CHECK(text(late.json(), "order_status") == "EXPIRED");
    const auto told_again = tell(client, expired, "late", 100);
    CHECK(outcome(told_again) == "409 payment_too_late");
    CHECK(told_again.header("idempotent-replayed") == "true");
    const auto total = client.get(path_of(sold)).json().at("total").as_int64();
    CHECK(outcome(tell(client, sold, "none", total)) == "409 order_not_payable");

    const auto first = client.get("/v1/payments?status=refund_due&limit=1").json();
    REQUIRE(first.at("items").as_array().size() == 1);
    const std::string cursor = text(first, "next_cursor");
    const auto rest = client.get("/v1/payments?limit=1&status=refund_due&cursor=" + cursor).json();
    REQUIRE(rest.at("items").as_array().size() == 1);
    CHECK(rest.at("next_cursor").is_null());
    std::set<std::string> references;
    for (const auto& one : owed(client)) {
        references.insert(text(one, "reference"));
        CHECK(text(one.at("refund"), "state") == "pending");
        CHECK(one.at("refund").at("amount") == one.at("amount"));
    }
    CHECK(references == std::set<std::string>{"late", "none"});

    const std::string id = text(first.at("items").at(0).at("refund"), "id");
    const std::string path = "/v1/refunds/" + id + "/confirm";
    const auto confirmed = client.post(path, R"({"reference":"back-1"})");
    REQUIRE(outcome(confirmed) == "200");
    CHECK(text(confirmed.json(), "state") == "succeeded");
    CHECK(text(confirmed.json(), "reference") == "back-1");
    const auto again = client.post(path, R"({"reference":"back-1"})");
    CHECK(outcome(again) == "200");
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(outcome(client.post(path, R"({"reference":"back-2"})")) == "409 refund_not_confirmable");
    CHECK(owed(client).size() == 1);
    CHECK(audit_fault(world) == "");
    const auto audit = world.flashsale({"audit"});
    CHECK(audit.output.contains("owed        1\n  refunds of " +
                                std::to_string(owed(client)[0].at("amount").as_int64()) +
                                " in all, the oldest since "));
}

TEST_CASE("money: what comes too late buys the same again, if it can be had") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto product = make_held_product(client, {.stock = 2, .window_s = 2});
    const std::string expired = order_id(place_order(client, user, product, 1));
    const std::string cancelled = order_id(place_order(client, user, product, 1));
    REQUIRE(outcome(cancel(client, cancelled)) == "200");
    REQUIRE(becomes_available(client, product, 2));
    std::set<std::string> bought;
    for (const std::string& old : {expired, cancelled}) {
        const auto paid = tell(client, old, "for " + old, 100);
        INFO(paid.body);
        REQUIRE(outcome(paid) == "201");
        CHECK(text(paid.json(), "replaces") == old);
        const std::string order = text(paid.json(), "order_id");
        CHECK(paid.header("location") == path_of(order));
        bought.insert(order);
        const auto now = client.get(path_of(order)).json();
        CHECK(text(now, "order_status") == "PAID");
        CHECK(text(now, "replaces") == old);
        const auto before = client.get(path_of(old)).json();
        CHECK(text(before, "replaced_by") == order);
        CHECK((text(before, "order_status") == "EXPIRED") == (old == expired));
        const auto again = tell(client, old, "for " + old, 100);
        CHECK(outcome(again) == "201");
        CHECK(again.header("idempotent-replayed") == "true");
        CHECK(text(again.json(), "order_id") == order);
    }
    CHECK(bought.size() == 2);
    CHECK(available(client, product) == 0);
    CHECK(outcome(tell(client, expired, "once more", 100)) == "409 payment_too_late");
    CHECK(owed(client).size() == 1);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("money: an announced payment keeps its hold for a while, and once") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world, {{"FLASHSALE_ORDERS__PAYMENT_GRACE_S", "3600"}});
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto product = make_held_product(client, {.stock = 2, .window_s = 2});
    const auto placed = place_order(client, user, product, 1);
    const std::string order = order_id(placed);
    const auto announced = tell(client, order, "card", 100, "started");
    REQUIRE(outcome(announced) == "201");
    CHECK(text(announced.json(), "state") == "started");
    const std::string until = text(client.get(path_of(order)).json(), "expires_at");
    CHECK(until > text(placed.json(), "expires_at"));
    CHECK(outcome(tell(client, order, "another", 100, "started")) == "201");
    CHECK(text(client.get(path_of(order)).json(), "expires_at") == until);
    // Another order of that time has ended meanwhile.
    const std::string other = order_id(place_order(client, user, product, 1));
    CHECK(eventually(20s, [&] { return status(client, other) == "EXPIRED"; }));
    CHECK(outcome(tell(client, other, "too-late", 100, "started")) == "409 order_not_payable");
    CHECK(status(client, order) == "PENDING");
    const auto paid = tell(client, order, "card", 100);
    CHECK(outcome(paid) == "201");
    CHECK(paid.header("idempotent-replayed").empty());
    CHECK(status(client, order) == "PAID");
    CHECK(owed(client).empty());
    CHECK(audit_fault(world) == "");
}

TEST_CASE("money: a refund gives the money and the units back, once") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    deposit(client, user, 300);
    const auto product = make_held_product(client, {.stock = 3, .per_user_limit = 3});
    const std::string from_balance = order_id(place_order(client, user, product, 1));
    const std::string from_outside = order_id(place_order(client, user, product, 2));
    const auto early = refund(client, from_balance);
    CHECK(outcome(early) == "409 order_not_refundable");
    CHECK(text(early.json(), "order_status") == "PENDING");
    REQUIRE(outcome(pay(client, from_balance, "k")) == "201");
    REQUIRE(outcome(tell(client, from_outside, "card", 200)) == "201");
    CHECK(balance(client, user) == 200);

    const auto back = refund(client, from_balance, R"({"reason":"defect"})");
    REQUIRE(outcome(back) == "201");
    CHECK(text(back.json(), "method") == "balance");
    CHECK(text(back.json(), "state") == "succeeded");
    CHECK(text(back.json(), "reason") == "defect");
    CHECK(back.json().at("amount").as_int64() == 100);
    CHECK(balance(client, user) == 300);
    CHECK(status(client, from_balance) == "REFUNDED");
    const auto again = refund(client, from_balance);
    CHECK(outcome(again) == "201");
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(text(again.json(), "id") == text(back.json(), "id"));
    CHECK(balance(client, user) == 300);
    CHECK(becomes_available(client, product, 1));
    const auto entry = client.get("/v1/users/" + std::to_string(user) + "/entries").json();
    CHECK(text(entry.at("items").at(0), "kind") == "refund");
    CHECK(entry.at("items").at(0).at("amount").as_int64() == 100);
    // A payment's key has one answer, whatever came of it.
    CHECK(outcome(pay(client, from_balance, "k")) == "201");
    CHECK(outcome(pay(client, from_balance, "l")) == "409 order_not_payable");
    CHECK(outcome(cancel(client, from_balance)) == "409 order_not_cancellable");

    const auto outside = refund(client, from_outside, R"({"restock":false})");
    REQUIRE(outcome(outside) == "201");
    CHECK(text(outside.json(), "state") == "pending");
    REQUIRE(owed(client).size() == 1);
    CHECK(text(owed(client)[0], "reason") == "order_refunded");
    // It has paid, and its repeat is answered so, whatever came after.
    const auto repeated = tell(client, from_outside, "card", 200);
    CHECK(outcome(repeated) == "201");
    CHECK(repeated.header("idempotent-replayed") == "true");
    const std::string id = text(outside.json(), "id");
    CHECK(outcome(client.post("/v1/refunds/" + id + "/confirm", R"({"reference":"b"})")) == "200");
    CHECK(owed(client).empty());
    const std::string of_balance = text(back.json(), "id");
    CHECK(outcome(client.post("/v1/refunds/" + of_balance + "/confirm", R"({"reference":"b"})")) ==
          "409 refund_not_confirmable");
    // The units of the second one are written off, and the buyer's limit is free.
    CHECK(eventually(20s, [&] { return outcome(place_order(client, user, product, 1)) == "201"; }));
    CHECK(available(client, product) == 0);
    CHECK(outcome(place_order(client, user, product, 1)) == "400 out_of_stock");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("money: bad input names its field, and keeps nothing") {
    const sandbox world(with_gate("memory"));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto product = make_held_product(client, {});
    const std::string order = order_id(place_order(client, user, product, 1));
    const auto refused = [&](const std::string& path, const char* body, const char* field) {
        const auto answer = client.post(path, body);
        INFO(path << ' ' << body << ": " << answer.body);
        CHECK(outcome(answer) == "400 bad_request");
        CHECK(text(answer.json(), "field") == field);
    };
    const std::string payments = path_of(order, "/payments"), refunds = path_of(order, "/refunds");
    refused(payments, R"({"method":"external","amount":1})", "reference");
    refused(payments, R"({"method":"external","reference":"","amount":1})", "reference");
    refused(payments, R"({"method":"external","reference":"r"})", "amount");
    for (const char* amount : {"0", "-1", "1.5", "9007199254740992", "\"1\""}) {
        const std::string body =
            std::string(R"({"method":"external","reference":"r","amount":)") + amount + "}";
        refused(payments, body.c_str(), "amount");
    }
    refused(payments, R"({"method":"external","reference":"r","amount":1,"status":"failed"})",
            "status");
    refused(payments, R"({"method":"balance","reference":"r"})", "reference");
    refused(refunds, R"({"reason":""})", "reason");
    refused(refunds, R"({"restock":1})", "restock");
    const std::string none = "01a20000-0000-7000-8000-000000000001";
    refused("/v1/refunds/" + none + "/confirm", "{}", "reference");
    CHECK(outcome(client.post("/v1/refunds/" + none + "/confirm", R"({"reference":"b"})")) ==
          "404 refund_not_found");
    CHECK(outcome(client.post("/v1/refunds/x/confirm", R"({"reference":"b"})")) ==
          "404 refund_not_found");
    for (const std::string& id : {std::string("x"), none}) {
        CHECK(outcome(tell(client, id, "r", 1)) == "404 order_not_found");
        CHECK(outcome(refund(client, id)) == "404 order_not_found");
    }
    for (const char* query : {"", "?status=paid", "?status=refund_due&status=refund_due",
                              "?status=refund_due&limit=0", "?status=refund_due&cursor=7"}) {
        INFO(query);
        CHECK(outcome(client.get(std::string("/v1/payments") + query)) == "400 bad_request");
    }
    CHECK(owed(client).empty());
    CHECK(status(client, order) == "PENDING");
}

TEST_CASE("money: of many who pay from outside and from a balance at once one is first") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    deposit(client, user, 2'000);
    const auto product = make_held_product(client, {.stock = 20});
    std::vector<std::string> orders;
    for (int i = 0; i < 20; ++i)
        orders.push_back(order_id(place_order(client, user, product, 1)));
    parallel(8, [&](std::size_t thread) {
        auto mine = shop.client();
        for (const std::string& order : orders) {
            const std::string name = std::to_string(thread);
            switch (thread % 4) {
                case 0:
                    pay(mine, order, name);
                    break;
                case 1:
                    tell(mine, order, order + name, 100);
                    break;
                case 2:
                    cancel(mine, order);
                    break;
                default:
                    refund(mine, order);
                    break;
            }
        }
        return 0;
    });
    // Two told of money for each order, and each amount paid, or is owed.
    CHECK(eventually(20s, [&] {
        std::int64_t told = 0;
        for (const std::string& order : orders) {
            for (const auto& one : client.get(path_of(order)).json().at("payments").as_array())
                told += text(one, "method") == "external" && text(one, "state") != "started";
        }
        return told == 40;
    }));
    std::int64_t from_balance = 0;
    for (const std::string& order : orders) {
        const auto shown = client.get(path_of(order)).json();
        std::int64_t succeeded = 0;
        for (const auto& one : shown.at("payments").as_array()) {
            // Money that came too late may have bought another one.
            succeeded += text(one, "state") == "succeeded" && text(one, "order_id") == order;
            from_balance += text(one, "method") == "balance" && text(one, "state") == "succeeded";
        }
        CHECK(succeeded == (text(shown, "order_status") == "PAID" ? 1 : 0));
    }
    CHECK(balance(client, user) == 2'000 - 100 * from_balance);
    CHECK(eventually(20s, [&] { return audit_fault(world) == ""; }));
}
