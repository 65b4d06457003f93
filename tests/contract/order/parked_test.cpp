// What every database of orders keeps of parked events, and of each decision about them.

#include <catch2/catch.hpp>

#include <algorithm>

#include "order_record.hpp"

using namespace flashsale;
using namespace flashsale::test;
using order::parked_row;
using order::parking;

namespace {

/// `count` parked events, ascending by id.
std::vector<parking> park(order_record& record, std::size_t count) {
    std::vector<parking> all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back({record.make.make(), "event-" + std::to_string(i), "reason"});
    std::ranges::sort(all, {}, &parking::id);
    REQUIRE(record.recording->park(all).has_value());
    return all;
}

/// As a gate that refuses it leaves it.
void take_units_from(order_record& record) {
    record.database.sql("UPDATE parked SET holds_units = (1 = 0)");
}

std::vector<uuid> listed(order_record& record, const uuid& after, std::size_t rows_max,
                         bool dropped_too) {
    const auto page = record.set_aside->list(after, rows_max, dropped_too);
    REQUIRE(page.has_value());
    std::vector<uuid> ids;
    for (const parked_row& one : *page)
        ids.push_back(one.id);
    return ids;
}

}  // namespace

TEST_CASE("parked: listed by id in pages, and found with all that is known") {
    order_record record(each_database());
    CHECK(listed(record, {}, 10, true).empty());
    const auto before = wall_clock_now() - std::chrono::minutes{1};
    const auto all = park(record, 5);
    CHECK(listed(record, {}, 3, false) == std::vector{all[0].id, all[1].id, all[2].id});
    CHECK(listed(record, all[2].id, 3, false) == std::vector{all[3].id, all[4].id});
    CHECK(listed(record, all[4].id, 3, false).empty());

    const auto found = record.set_aside->find(all[1].id);
    REQUIRE(found.has_value());
    REQUIRE(found->has_value());
    CHECK((*found)->id == all[1].id);
    CHECK((*found)->event == all[1].event);
    CHECK((*found)->reason == "reason");
    CHECK((*found)->holds_units);
    CHECK((*found)->created_at > before);
    CHECK((*found)->created_at < wall_clock_now() + std::chrono::minutes{1});
    CHECK_FALSE((*found)->dropped_at.has_value());
    CHECK_FALSE(record.set_aside->find(record.make.make())->has_value());
}

TEST_CASE("parked: one that is dropped stays as a note, and holds nothing") {
    order_record record(each_database());
    const auto all = park(record, 2);
    REQUIRE(record.set_aside->drop(all[0].id).has_value());
    const auto dropped = record.set_aside->find(all[0].id)->value();
    REQUIRE(dropped.dropped_at.has_value());
    CHECK_FALSE(dropped.holds_units);
    CHECK(listed(record, {}, 10, false) == std::vector{all[1].id});
    CHECK(listed(record, {}, 10, true) == std::vector{all[0].id, all[1].id});
    // Once; and what comes again changes nothing about it.
    REQUIRE(record.set_aside->drop(all[0].id).has_value());
    REQUIRE(record.recording->park(all).has_value());
    CHECK(record.set_aside->find(all[0].id)->value().dropped_at == dropped.dropped_at);
    CHECK(record.parked().size() == 1);
    CHECK(record.set_aside->drop(record.make.make()).has_value());
}

TEST_CASE("parked: one that is recorded is forgotten") {
    order_record record(each_database());
    const auto order = record.accepted(1);
    CHECK_FALSE(record.set_aside->order_recorded(order.id).value());
    const std::vector<parking> parked{{order.id, events::text_of(order), "reason"}};
    REQUIRE(record.recording->park(parked).has_value());
    CHECK_FALSE(record.set_aside->order_recorded(order.id).value());
    record.must_record(std::span(&order, 1));
    CHECK(record.set_aside->order_recorded(order.id).value());
    for (int round = 0; round < 2; ++round) {
        REQUIRE(record.set_aside->forget(order.id).has_value());
        CHECK(record.parked().empty());
    }
    CHECK(record.orders().size() == 1);
}

TEST_CASE("parked: the gate is asked again only for what holds no units and was not dropped") {
    order_record record(each_database());
    const auto all = park(record, 3);
    REQUIRE(record.set_aside->ask_again_for(all[0].id, 0).has_value());
    CHECK(record.parked().size() == 3);
    CHECK(record.reader->late()->empty());

    take_units_from(record);
    REQUIRE(record.set_aside->drop(all[1].id).has_value());
    for (const parking& one : all) {
        if (one.id != all[2].id) {
            REQUIRE(record.set_aside->ask_again_for(one.id, 0).has_value());
        }
    }
    CHECK(record.reader->late().value() == std::vector{all[0].id});
    CHECK_FALSE(record.set_aside->find(all[0].id)->has_value());
    CHECK(record.set_aside->find(all[1].id)->has_value());
    // In either place, never in both and never in none.
    REQUIRE(record.set_aside->ask_again_for(all[0].id, 0).has_value());
    CHECK(record.reader->late().value() == std::vector{all[0].id});
    CHECK(record.parked().size() == 1);
}
