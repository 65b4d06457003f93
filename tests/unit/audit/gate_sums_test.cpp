// What the gate itself has to say of the record, and what came too late for it.

#include <catch2/catch.hpp>

#include <boost/json.hpp>

#include <flashsale/events/event.hpp>
#include <flashsale/order/allocation_of.hpp>

#include <algorithm>

#include <flashsale/audit/report.hpp>
#include "audited_sale.hpp"

using namespace flashsale;
using namespace flashsale::audit;
using namespace flashsale::audit::test;

TEST_CASE("audit: a gate of which the record knows too little is told, with the shard") {
    sale all;
    all.record.shards.push_back({0, 1, 4, {1}, stock::shard_state{}});
    auto& gate = all.record.shards[0];
    gate.recorded->what = stock::shard_state::phase::open;
    gate.recorded->epoch = 1;
    const auto only_fault = [&] {
        const auto result = add_up(all.record);
        REQUIRE(result.faults.size() == 1);
        CHECK(result.faults[0].found.starts_with("shard 0, epoch "));
        return result.faults[0].sum;
    };
    REQUIRE(all.fault().empty());

    SECTION("a product") {
        gate.products.insert({2, 3});
        CHECK(only_fault() == "every product at the gate is recorded");
        CHECK(add_up(all.record).faults[0].found.find("products 2, 3,") != std::string::npos);
        gate.products.erase(3);
        CHECK(add_up(all.record).faults[0].product_id == 2);
    }
    SECTION("the last events") {
        gate.seq = 6;
        CHECK(only_fault() == "what the gate granted is recorded, or in its outbox");
        CHECK(add_up(all.record)
                  .faults[0]
                  .found.find("2 of 6 are nowhere, the first of them seq 5") != std::string::npos);
    }
    SECTION("one in the middle, of which no sum is left to tell") {
        all.record.orders.erase(stock::allocation_id{all.ids[1]});
        all.record.movements.erase(stock::allocation_id{all.ids[1]});
        all.record.products[1] = {1, 9, 7, 1, 7, 9, 2, 0};
        all.record.levels[1] = gate_level{6, 9, 1, 4};
        CHECK(only_fault() == "what the gate granted is recorded, or in its outbox");
        CHECK(add_up(all.record).faults[0].found.find("seq 2") != std::string::npos);
    }
    SECTION("an absurd seq costs no memory") {
        gate.seq = std::uint64_t{1} << 60;
        CHECK(only_fault() == "what the gate granted is recorded, or in its outbox");
    }
    SECTION("its epoch") {
        gate.recorded->epoch = 0;
        gate.recorded->what = stock::shard_state::phase::never;
        CHECK(only_fault() == "the gate's epoch is the recorded one");
    }
    SECTION("that it was replaced, and sells on") {
        gate.recorded->epoch = 2;
        CHECK(only_fault() == "the gate's epoch is the recorded one");
        gate.recorded->what = stock::shard_state::phase::rebuilding;
        CHECK(all.fault().empty());
    }
    SECTION("a gate that lives in its process has no recorded epoch") {
        gate.recorded.reset();
        CHECK(all.fault().empty());
    }
}

TEST_CASE("audit: what was set aside or dropped is not missing, nor what may be either") {
    sale all;
    all.record.outbox.clear();
    all.record.shards.push_back({0, 1, 4});
    const auto missing = [&] {
        const auto sums = all.faults();
        return std::ranges::count(sums, "what the gate granted is recorded, or in its outbox") == 1;
    };
    events::order_accepted last;
    last.id = all.ids[3];
    last.user_id = 4;
    last.product_id = 1;
    last.quantity = 1;
    last.idempotency_key = "key";
    last.created_at = last.id.time();
    last.epoch = 1;
    last.seq = 4;
    REQUIRE(missing());
    SECTION("parked") {
        all.record.parked.push_back({last.id, events::text_of(last), "why"});
    }
    SECTION("parked, and refused") {
        all.record.parked.push_back({last.id, events::text_of(last), "why", false});
    }
    SECTION("dropped") {
        all.record.dropped.push_back(order::allocation_of(last));
    }
    SECTION("late") {
        all.record.late.push_back({last.id, events::text_of(last), false, {}});
    }
    SECTION("parked, and not to be read") {
        all.record.parked.push_back({{}, "{", "why"});
    }
    SECTION("dropped, and not to be read") {
        all.record.dropped_unreadable = 1;
    }
    CHECK_FALSE(missing());
}

TEST_CASE("audit: each shard's gate has a count of its own") {
    sale all;
    stock::allocation other = sold_to(4, uuid_generator().make(1), 1);
    other.product_id = 2;
    all.record.shards = {{0, 1, 1}, {1, 1, 4}};  // product 1 is the second one's
    CHECK(all.faults() == only{"what the gate granted is recorded, or in its outbox"});
    all.record.outbox[other.id()] = other;
    CHECK(all.fault().empty());
}

TEST_CASE("audit: a late event may have been answered 201 unless it was published early enough") {
    using namespace std::chrono_literals;
    sale all;
    const timestamp begun = all.ids[0].time() + 1h;
    events::order_accepted late;
    late.id = uuid_generator().make();
    late.user_id = 9;
    late.product_id = 1;
    late.quantity = 1;
    late.idempotency_key = "late";
    late.created_at = late.id.time();
    late.epoch = 2;
    late.seq = 1;
    const auto finding = [&](std::optional<timestamp> published, bool refused = true) {
        all.record.late = {{late.id, events::text_of(late), refused, published}};
        const auto result = add_up(all.record);
        REQUIRE(result.late_events.size() == 1);
        CHECK(result.late == (refused ? 0 : 1));
        return result.late_events[0];
    };
    // Without a fence that shut it out nothing can be said.
    CHECK(finding(begun - 1h).perhaps_answered);
    // Epoch 3 did, and not the later one; another shard's has nothing to say.
    all.record.fences = {{1, 3, begun - 50min, begun},
                         {0, 2, begun - 40min, begun},
                         {0, 3, begun, begun + 3s},
                         {0, 4, begun + 30min, begun + 31min}};
    CHECK(finding(begun).shut_out_by->epoch == 3);
    CHECK(finding(begun).perhaps_answered);
    CHECK(finding(begun + 10min).perhaps_answered);
    CHECK(finding(std::nullopt).perhaps_answered);
    // The time is a whole second, and the publication was within it.
    CHECK(finding(begun - 999ms).perhaps_answered);
    CHECK_FALSE(finding(begun - 1s).perhaps_answered);
    CHECK_FALSE(finding(begun - 1s, false).perhaps_answered);
    late.shard = 1;
    CHECK(finding(begun - 20min).perhaps_answered);
    CHECK(all.fault().empty());
}

TEST_CASE("audit: the report names each late event that a 201 may stand behind") {
    sale all;
    events::order_accepted late;
    late.user_id = 9;
    late.product_id = 1;
    late.quantity = 1;
    late.idempotency_key = "late";
    late.epoch = 1;
    late.seq = 1;
    uuid_generator make;
    const timestamp begun = wall_clock_now();
    all.record.fences = {{0, 2, begun, begun}};
    for (int i = 0; i < 60; ++i) {
        late.id = make.make();
        late.created_at = late.id.time();
        const bool early = i % 2 == 0;
        all.record.late.push_back({late.id, events::text_of(late), true,
                                   early ? begun - std::chrono::seconds(10) : begun});
    }
    const auto result = add_up(all.record);
    const auto text = audit_report_text(all.record, result);
    const auto count = [&](std::string_view words) {
        std::size_t found = 0;
        for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1))
            ++found;
        return found;
    };
    CHECK(count(": a 201 may stand behind it") == 30);
    CHECK(count("no 201 stands behind it") == 20);
    CHECK(count("and 10 more") == 1);
    CHECK(count("user 9, product 1, quantity 1, epoch 1") == 50);
    const auto as_json = boost::json::parse(audit_report_json(all.record, result));
    CHECK(as_json.at("late").as_array().size() == 60);
    const auto& one = as_json.at("late").at(1);
    CHECK(one.at("perhaps_answered").as_bool());
    CHECK(one.at("state").as_string() == "refused");
    CHECK(one.at("shut_out_by_epoch").to_number<int>() == 2);
    CHECK(parse_rfc3339(one.at("published_at").as_string()) == begun);
}
