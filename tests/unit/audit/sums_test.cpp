#include <catch2/catch.hpp>

#include <flashsale/events/event.hpp>

#include "audited_sale.hpp"

using namespace flashsale;
using namespace flashsale::audit;
using namespace flashsale::audit::test;

TEST_CASE("audit: a sale whose sums are right holds, while it runs too") {
    sale all;
    CHECK(all.fault().empty());
    CHECK(add_up(all.record).gate_checked);

    // Recorded between the reading of the gate and of the databases: seq 5 is not in the level.
    uuid_generator make;
    const uuid later = make.make();
    all.record.orders[{later}] = sold_to(5, later, 5);
    CHECK(all.fault().empty());
    all.record.movements[{later}] = taken(later, 5);
    all.record.products[1] = {1, 10, 6, 1, 6, 10, 4, 0};
    CHECK(all.fault().empty());

    // Still in the outbox as it was read, and recorded meanwhile: counted once.
    all.record.orders[{all.ids[3]}] = sold_to(4, all.ids[3], 4);
    CHECK(all.fault().empty());
}

TEST_CASE("audit: an event that was dropped, by this version or the one before, breaks no sum") {
    sale all;
    uuid_generator make;
    const uuid now = make.make(), before = make.make();
    all.record.movements[{now}] = taken(now, 5);
    all.record.movements[{now}].back = stock::came_back::dropped;
    all.record.movements[{before}] = taken(before, 6);
    all.record.movements[{before}].what = stock::operation::reduction;
    all.record.levels[1] = gate_level{6, 12, 1, 6};
    all.record.products[1] = {1, 12, 7, 1, 7, 12, 4, 1, 1};
    CHECK(all.fault().empty());
    CHECK(add_up(all.record).returned == 1);

    SECTION("but an order of that id is one too many") {
        all.record.orders[{now}] = sold_to(9, now, 5);
        CHECK(all.fault() == "orders and sale movements match one to one");
    }
    SECTION("and so is an order whose units a reduction took") {
        all.record.orders[{before}] = sold_to(9, before, 6);
        CHECK(all.fault() == "orders and sale movements match one to one");
    }
    SECTION("and a sale without an order, whose units are not back, is a fault") {
        all.record.movements[{now}].back = stock::came_back::no;
        CHECK(all.fault() == "orders and sale movements match one to one");
    }
}

TEST_CASE("audit: each kind of damage is told by its sum") {
    sale all;
    SECTION("an order is gone") {
        all.record.orders.erase(stock::allocation_id{all.ids[1]});
        REQUIRE(all.fault() == "orders and sale movements match one to one");
        CHECK(add_up(all.record).faults[0].orders == std::vector<uuid>{all.ids[1]});
        CHECK(add_up(all.record).faults[0].product_id == 1);
    }
    SECTION("a movement is gone") {
        all.record.movements.erase(stock::allocation_id{all.ids[1]});
        all.record.products[1].moved += 1;
        all.record.products[1].sold -= 1;
        CHECK(all.faults() ==
              only{"stock = sum of movements", "orders and sale movements match one to one"});
    }
    SECTION("stock was changed without a movement") {
        all.record.products[1].stock += 1;
        CHECK(all.faults() == only{"stock = sum of movements"});
    }
    SECTION("units were given without a movement") {
        all.record.products[1].moved_up -= 1;
        CHECK(all.faults() == only{"supplied = sum of movements that gave"});
    }
    SECTION("stock is recorded below zero") {
        all.record.products[1] = {1, 10, -1, 1, -1, 10, 3, 0};
        CHECK(all.faults() == only{"stock >= 0"});
    }
    SECTION("the gate sold what it did not have") {
        all.record.products[1] = {1, 3, 0, 1, 0, 3, 3, 0};
        all.record.levels[1] = gate_level{-1, 3, 1, 4};
        CHECK(all.faults() == only{"free >= 0"});
    }
    SECTION("the product of an order is gone") {
        all.record.products.erase(1);
        all.record.orders.erase(stock::allocation_id{all.ids[1]});
        all.record.orders.erase(stock::allocation_id{all.ids[2]});
        all.record.movements.clear();
        all.record.outbox.clear();
        all.record.levels[1] = gate_level{9, 10, 1, 4};
        CHECK(all.fault() == "orders and sale movements match one to one");
        all.record.movements[{all.ids[0]}] = taken(all.ids[0], 1);
        CHECK(all.faults() == only{"every order has a product"});
    }
    SECTION("an order and its movement are gone: a 201 that nobody recorded") {
        all.record.orders.erase(stock::allocation_id{all.ids[1]});
        all.record.movements.erase(stock::allocation_id{all.ids[1]});
        all.record.products[1] = {1, 10, 8, 1, 8, 10, 2, 0};
        CHECK(all.fault() == "free + taken = supplied, at the gate");
    }
    SECTION("the gate has a unit too many") {
        all.record.levels[1].free += 1;
        CHECK(all.fault() == "free + taken = supplied, at the gate");
    }
    SECTION("the gate lost a unit") {
        all.record.levels[1].free -= 1;
        CHECK(all.fault() == "free + taken = supplied, at the gate");
    }
    SECTION("an outbox entry is gone and nothing was recorded") {
        all.record.outbox.clear();
        CHECK(all.fault() == "free + taken = supplied, at the gate");
    }
    SECTION("oversold") {
        all.record.products[1] = {1, 2, -1, 1, -1, 2, 3, 0};
        CHECK(all.fault() == "sold + reduced <= supplied");
    }
    SECTION("one key twice") {
        all.record.orders[{all.ids[1]}].user_id = 1;
        CHECK(all.fault() == "one key, one order");
    }
    SECTION("above the limit") {
        all.record.orders[{all.ids[1]}].user_id = 1;
        all.record.orders[{all.ids[1]}].idempotency_key = "another";
        CHECK(all.fault() == "no user above the limit");
    }
    SECTION("above the limit of a sale") {
        all.record.products[1].per_user_limit.reset();
        all.record.products[1].sale_id = 5;
        all.record.products[1].sale_limit = 1;
        CHECK(all.fault().empty());
        all.record.orders[{all.ids[1]}].user_id = 1;
        all.record.orders[{all.ids[1]}].idempotency_key = "another";
        CHECK(all.fault() == "no user above the limit of a sale");
    }
    SECTION("order and movement differ") {
        all.record.orders[{all.ids[1]}].quantity = 2;
        CHECK(all.fault() == "orders and sale movements match one to one");
    }
    SECTION("the gate does not know a product") {
        all.record.levels[2] = {};
        all.record.products[2] = {2, 5, 5, {}, 5, 5, 0, 0};
        CHECK(all.fault() == "supplied at the gate = supplied");
        all.record.supplied_later[2] = 5;
        CHECK(all.fault().empty());
    }
    SECTION("the gate was given more than the record says") {
        all.record.levels[1].supplied += 1;
        all.record.levels[1].free += 1;
        CHECK(all.fault() == "supplied at the gate = supplied");
    }
    SECTION("a restock never reached the gate") {
        all.record.products[1] = {1, 15, 12, 1, 12, 15, 3, 0};
        CHECK(all.fault() == "supplied at the gate = supplied");
        all.record.supplied_later[1] = 15;
        CHECK(all.fault().empty());
    }
}

TEST_CASE("audit: an order of an older epoch counts whatever its seq") {
    sale all;
    all.record.levels[1].epoch = 2;
    all.record.levels[1].seq = 0;
    CHECK(all.fault().empty());
}

TEST_CASE("audit: a parked event keeps its units") {
    sale all;
    all.record.outbox.clear();
    events::order_accepted parked;
    parked.id = all.ids[3];
    parked.user_id = 4;
    parked.product_id = 1;
    parked.quantity = 1;
    parked.idempotency_key = "key";
    parked.unit_price = 1;
    parked.epoch = 1;
    parked.seq = 4;
    all.record.parked.push_back({all.ids[3], events::granted_text(parked), "reason"});
    CHECK(all.fault().empty());
}

TEST_CASE("audit: without a gate the databases are compared, and it says so") {
    sale all;
    all.record.gate_fault = "closed";
    all.record.levels.clear();
    all.record.outbox.clear();
    CHECK(all.fault().empty());
    CHECK_FALSE(add_up(all.record).gate_checked);
    all.record.orders.erase(stock::allocation_id{all.ids[1]});
    CHECK(all.fault() == "orders and sale movements match one to one");
}

TEST_CASE("audit: with the outbox unread an order without movement proves nothing") {
    sale all;
    all.record.movements.erase(stock::allocation_id{all.ids[1]});
    all.record.products[1] = {1, 10, 8, 1, 8, 10, 2, 0};
    CHECK(all.fault() == "orders and sale movements match one to one");
    all.record.gate_fault = "the outbox of shard 0 answers rebuilding";
    all.record.outbox.clear();
    CHECK(all.fault().empty());
}

TEST_CASE("audit: a parked event counts as taken as long as it holds units") {
    sale all;
    events::order_accepted set_aside;
    set_aside.id = uuid_generator().make();
    set_aside.user_id = 9;
    set_aside.product_id = 1;
    set_aside.quantity = 2;
    set_aside.idempotency_key = "parked";
    set_aside.created_at = set_aside.id.time();
    set_aside.epoch = 1;
    set_aside.seq = 2;
    all.record.parked.push_back({set_aside.id, events::text_of(set_aside), "why", true});
    CHECK(all.fault() == "free + taken = supplied, at the gate");
    all.record.levels[1].free = 4;
    CHECK(all.fault().empty());
    all.record.parked[0].holds_units = false;
    CHECK(all.fault() == "free + taken = supplied, at the gate");
    all.record.levels[1].free = 6;
    CHECK(all.fault().empty());
}

TEST_CASE("audit: at rest every unit is in one of four places") {
    sale all;
    all.record.at_rest = true;
    // One order is in the outbox: this is no rest.
    CHECK(all.faults() == only{"supplied = free + sold + reduced + parked, at rest"});
    all.record.at_rest = false;
    CHECK(all.fault().empty());

    sale recorded;
    recorded.record.at_rest = true;
    recorded.record.outbox.clear();
    recorded.record.levels[1].free = 7;
    CHECK(recorded.fault().empty());
    CHECK(add_up(recorded.record).at_rest);
}

TEST_CASE("audit: orders sold beyond what was given are named, the last ones") {
    sale all;
    all.record.products[1].supplied = all.record.products[1].moved_up = 2;
    const auto result = add_up(all.record);
    const auto oversold =
        std::ranges::find(result.faults, "sold + reduced <= supplied", &audit_fault::sum);
    REQUIRE(oversold != result.faults.end());
    CHECK(oversold->orders == std::vector{all.ids[2]});
}

TEST_CASE("audit: the orders of a user above the limit are named") {
    sale all;
    all.record.products[1].per_user_limit = 1;
    all.record.orders[{all.ids[1]}].user_id = 1;
    all.record.orders[{all.ids[1]}].idempotency_key = "another";
    const auto result = add_up(all.record);
    REQUIRE(result.faults.size() == 1);
    CHECK(result.faults[0].sum == "no user above the limit");
    CHECK(result.faults[0].orders.size() == 2);
}
