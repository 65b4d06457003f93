// Payments from balances, where the user database is away, and where a balance cannot pay.

#include <catch2/catch.hpp>

#include <flashsale/base/time.hpp>

#include "gates.hpp"
#include "held_orders.hpp"

using namespace flashsale::test;

TEST_CASE("money: with the user database away a payment waits, and nothing else does") {
    const sandbox world(with_gate("redis"));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    deposit(client, user, 1'000);
    const auto patient = make_held_product(client, {.stock = 5});
    const auto brief = make_held_product(client, {.stock = 1, .window_s = 3});
    const std::string paid = order_id(place_order(client, user, patient, 1));
    const std::string other = order_id(place_order(client, user, patient, 1));
    const std::string waits = order_id(place_order(client, user, brief, 1));
    REQUIRE(outcome(pay(client, paid, "k")) == "201");
    const auto let_in = [&](const char* whether) {
        world.sql(sandbox::database::order, "ALTER DATABASE flashsale_user_" + world.name() +
                                                " ALLOW_CONNECTIONS " + whether);
        world.sql(sandbox::database::order,
                  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                  " WHERE datname = 'flashsale_user_" +
                      world.name() + "'");
    };
    let_in("false");
    CHECK(outcome(pay(client, waits, "k")) == "503 outcome_unknown");
    CHECK(status(client, waits) == "PENDING");
    // It is being decided: it neither ends nor is cancelled meanwhile.
    CHECK(outcome(cancel(client, waits)) == "503 outcome_unknown");
    CHECK(outcome(tell(client, other, "card", 100)) == "201");
    const auto back = refund(client, paid);
    CHECK(outcome(back) == "201");
    CHECK(text(back.json(), "state") == "pending");
    CHECK(becomes_available(client, patient, 4));
    CHECK(eventually(20s, [&] {
        const auto now = client.get(path_of(waits)).json();
        return flashsale::parse_rfc3339(text(now, "expires_at")).value() + 1s <
               flashsale::wall_clock_now();
    }));
    CHECK(status(client, waits) == "PENDING");
    let_in("true");
    CHECK(eventually(20s, [&] { return status(client, waits) == "PAID"; }));
    const std::string path = "/v1/users/" + std::to_string(user);
    REQUIRE(eventually(20s, [&] { return client.get(path).status == 200; }));
    CHECK(eventually(20s, [&] { return balance(client, user) == 900; }));
    const auto answered = pay(client, waits, "k");
    CHECK(outcome(answered) == "201");
    CHECK(answered.header("idempotent-replayed") == "true");
    CHECK(eventually(20s, [&] { return owed(client).empty(); }));
    CHECK(audit_fault(world) == "");
}

TEST_CASE("money: a balance pays in its own currency, and nothing beyond what it may hold") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    constexpr std::int64_t most = 9'007'199'254'740'991;
    deposit(client, user, most);
    const auto foreign = client.post(
        "/v1/products",
        R"({"name":"foreign","price":100,"currency":"KWD","stock":1,"payment_window_s":3600})");
    REQUIRE(outcome(foreign) == "201");
    const std::string order =
        order_id(place_order(client, user, foreign.json().at("id").as_int64(), 1));
    const auto refused = pay(client, order);
    CHECK(outcome(refused) == "409 other_currency");
    CHECK(text(refused.json(), "order_status") == "PENDING");
    CHECK(balance(client, user) == most);
    CHECK(outcome(tell(client, order, "card", 100)) == "201");
    // A refund may bring a balance beyond that; an order that costs more is not even had.
    const auto dear = make_held_product(client, {.stock = 10, .price = most});
    const std::string first = order_id(place_order(client, user, dear, 1));
    REQUIRE(outcome(pay(client, first)) == "201");
    deposit(client, user, most);
    REQUIRE(outcome(refund(client, first)) == "201");
    CHECK(outcome(place_order(client, user, dear, 5)) == "422 total_too_high");
    const std::string more = order_id(place_order(client, user, dear, 1));
    CHECK(audit_fault(world) == "");
    // One that the version before has granted is not paid.
    world.sql(sandbox::database::order,
              "UPDATE orders SET quantity = 5 WHERE quantity = 1 AND "
              "order_status = 'PENDING'");
    CHECK(outcome(pay(client, more)) == "402 insufficient_balance");
}
