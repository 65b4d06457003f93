// What changes orders after they were recorded, on each database: every change once, by whoever
// comes first, and only those that src/order/status.hpp has.

#include <catch2/catch.hpp>
#include <flashsale/order/recovery.hpp>

#include <algorithm>

#include "life_record.hpp"

using namespace flashsale;
using namespace flashsale::test;
using order::order_status;

using ids = std::vector<uuid>;
using returned = std::vector<order::returned_order>;

TEST_CASE("life: an order is recorded as what it is, held or sold outright") {
    life_record record(each_database());
    const uuid held = record.held(300), outright = record.outright();
    const order::order one = record.state(held);
    CHECK(one.status == order_status::pending);
    CHECK(one.payment_window_s == 300);
    CHECK(one.expires_at == one.created_at + std::chrono::seconds(300));
    CHECK(one.status_since == one.created_at);
    const order::order other = record.state(outright);
    CHECK(other.status == order_status::success);
    CHECK_FALSE(other.was_held());
    CHECK_FALSE(other.expires_at.has_value());
    const auto in_store = record.database.wait(record.store->find(held)).value();
    CHECK(in_store->status == order_status::pending);
    CHECK(in_store->expires_at == one.expires_at);
    CHECK(record.history(held).empty());
    // What a gate is rebuilt from.
    CHECK(record.orders().at(held).payment_window_s == 300);
    CHECK(record.orders().at(outright).payment_window_s == 0);
}

TEST_CASE("life: a cancellation happens once, and says what is to be returned") {
    life_record record(each_database());
    const uuid held = record.held(), outright = record.outright();
    const auto ended = record.cancel(held, "changed my mind");
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].what.status == order_status::cancelled);
    CHECK(ended[0].what.status_since >= ended[0].what.created_at);
    CHECK(ended[0].units.taken.id == held);
    CHECK(ended[0].units.taken.delta == -3);
    CHECK(ended[0].units.taken.product_id == 3);
    CHECK(ended[0].units.user_id == ended[0].what.user_id);
    CHECK(ended[0].units.restock);
    CHECK(record.cancel(held).empty());
    CHECK(record.history(held) == std::vector<std::string>{"PENDING CANCELLED changed my mind"});

    const auto broken = record.life->cancel(std::vector<order::cancel_request>{
        {outright, "damaged", false}, {record.make.make(), "is no order"}});
    REQUIRE(broken.has_value());
    REQUIRE(broken->size() == 1);
    CHECK_FALSE(broken->front().units.restock);
    CHECK(record.history(outright) == std::vector<std::string>{"SUCCESS CANCELLED damaged"});

    CHECK(record.due().empty());  // whoever cancelled is at it
    record.age(held);
    CHECK(record.due() == ids{held});
    REQUIRE(record.life->put_off(ids{held}).has_value());
    CHECK(record.due().empty());  // the stock database refuses it: others come first
    CHECK(record.reader->unfinished()->size() == 2);
    record.age(held);
    CHECK(record.life->returned(returned{{held}}).value());
    CHECK(record.due().empty());
}

TEST_CASE("life: units that a gate was told of are due until the newest gate knows") {
    life_record record(each_database());
    const uuid held = record.held();
    REQUIRE(record.cancel(held).size() == 1);
    record.age(held);
    if (postgres::session* const servers = record.database.session()) {
        REQUIRE(order::raise_fence(*servers, held.shard(), 2, held.time()).has_value());
        CHECK_FALSE(record.life->returned(returned{{held, 1}}).value());
        CHECK(record.due() == ids{held});
        const auto database_gate = order::make_postgres_life_store(*servers, false);
        CHECK(database_gate->returned(returned{{held, 1}}).value());
        CHECK(record.due().empty());
    }
    CHECK(record.life->returned(returned{{held, 2}}).value());
    CHECK(record.due().empty());
}

TEST_CASE("life: a hold ends when its time is up, once, the oldest first") {
    life_record record(each_database());
    const uuid alive = record.held(), outright = record.outright();
    const uuid first = record.overdue(), second = record.overdue(), third = record.overdue();
    const auto some = record.life->expire(2);
    REQUIRE(some.has_value());
    REQUIRE(some->size() == 2);
    for (const order::ended_order& one : *some) {
        CHECK(one.what.status == order_status::expired);
        CHECK(one.units.restock);
    }
    const auto rest = record.life->expire(10);
    REQUIRE(rest.has_value());
    REQUIRE(rest->size() == 1);
    CHECK(record.life->expire(10)->empty());
    CHECK(record.status(alive) == order_status::pending);
    CHECK(record.status(outright) == order_status::success);
    for (const uuid& one : {first, second, third})
        CHECK(record.history(one) == std::vector<std::string>{"PENDING EXPIRED"});
    CHECK(record.cancel(first).empty());
    CHECK(record.start(first).empty());
}

TEST_CASE("life: a payment keeps its order from ending until it is decided") {
    life_record record(each_database());
    const uuid taken = record.held(), declined = record.held();
    const auto started = record.start({{taken, record.make.make(), "k"},
                                       {declined, record.make.make(), "k"},
                                       {record.make.make(), record.make.make(), "k"}});
    REQUIRE(started.size() == 2);
    for (const order::payment& one : started) {
        CHECK(one.amount == 3 * 999);
        CHECK(one.state == order::payment_state::started);
        CHECK(record.status(one.order_id) == order_status::paying);
        CHECK(record.cancel(one.order_id).empty());
        CHECK(record.start(one.order_id, "another").empty());
    }
    CHECK(record.life->unfinished_payments(10)->empty());
    record.age(taken);
    const auto left = record.life->unfinished_payments(10);
    REQUIRE(left->size() == 1);
    CHECK(left->front().order_id == taken);

    const auto of = [&](const uuid& id) {
        return *std::ranges::find(started, id, &order::payment::order_id);
    };
    const std::vector<order::payment> paid{of(taken)}, unpaid{of(declined)};
    for (int twice = 0; twice < 2; ++twice) {
        REQUIRE(record.life->finish_taken(paid).has_value());
        REQUIRE(record.life->finish_declined(unpaid).has_value());
    }
    // What is decided stays so, whoever comes late with what else.
    REQUIRE(record.life->finish_declined(paid).has_value());
    REQUIRE(record.life->finish_taken(unpaid).has_value());
    CHECK(record.status(taken) == order_status::paid);
    CHECK(record.status(declined) == order_status::pending);
    CHECK(record.history(taken) == std::vector<std::string>{"PENDING PAID"});
    CHECK(record.history(declined).empty());
    const auto payments = record.database.wait(record.store->payments(taken)).value();
    REQUIRE(payments.size() == 1);
    CHECK(payments[0].state == order::payment_state::succeeded);
    CHECK(payments[0].decided_at.has_value());
    CHECK(record.life->find_succeeded(ids{taken, declined})->size() == 1);

    CHECK(record.cancel(taken).empty());
    CHECK(record.start(taken, "another").empty());
    CHECK(record.start(declined, "another").size() == 1);
}

TEST_CASE("life: what was decided about one payment says nothing about the next one") {
    life_record record(each_database());
    const uuid id = record.held();
    const auto first = record.start(id, "first");
    REQUIRE(record.life->finish_declined(first).has_value());
    const auto second = record.start(id, "second");
    REQUIRE(second.size() == 1);
    // A process that slept comes with the first one.
    REQUIRE(record.life->finish_declined(first).has_value());
    CHECK(record.status(id) == order_status::paying);
    REQUIRE(record.life->finish_taken(first).has_value());
    CHECK(record.status(id) == order_status::paying);
    REQUIRE(record.life->finish_taken(second).has_value());
    CHECK(record.status(id) == order_status::paid);
    CHECK(record.life->find_succeeded(ids{id})->front().id == second[0].id);
}

TEST_CASE("life: no hold is paid for whose time is up") {
    life_record record(each_database());
    const uuid late = record.overdue(), outright = record.outright();
    CHECK(record.start(late).empty());
    CHECK(record.start(outright).empty());
    CHECK(record.status(late) == order_status::pending);
}

TEST_CASE("life: a key has one payment of its order") {
    life_record record(each_database());
    const uuid one = record.held(), other = record.held();
    const auto declined = record.start(one, "k");
    REQUIRE(record.life->finish_declined(declined).has_value());
    // Of two processes that looked before either had begun, the second one is told.
    const auto twin = record.life->start_payments(std::vector<order::payment_request>{
        {other, record.make.make(), "k"}, {one, record.make.make(), "k"}});
    REQUIRE_FALSE(twin.has_value());
    CHECK(twin.error().twin);
    CHECK(record.status(one) == order_status::pending);
    CHECK(record.status(other) == order_status::pending);
    const auto known = record.life->find_payments(
        std::vector<order::payment_request>{{one, {}, "k"}, {other, {}, "k"}, {one, {}, "else"}});
    REQUIRE(known.has_value());
    REQUIRE(known->size() == 1);
    CHECK(known->front().state == order::payment_state::failed);
    CHECK(known->front().idempotency_key == "k");
}

TEST_CASE("life: a total that no balance can hold is asked for as more than that") {
    life_record record(each_database());
    const std::int64_t most = (std::int64_t{1} << 53) - 1;
    const auto dear = record.start(record.held(60, most));
    REQUIRE(dear.size() == 1);
    CHECK(dear[0].amount == most + 1);
    const auto cheap = record.start(record.held(60, most / 3));
    CHECK(cheap.at(0).amount == most / 3 * 3);
    const auto free = record.start(record.held(60, 0));
    CHECK(free.at(0).amount == 0);
}
