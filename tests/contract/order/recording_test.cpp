// What every way of the recorder into the order database does, on each database.

#include <catch2/catch.hpp>

#include <set>

#include "order_record.hpp"

using namespace flashsale;
using namespace flashsale::test;
using order::parking;

TEST_CASE("recording: an order is recorded once, however often it comes") {
    order_record record(each_database());
    std::vector<events::event> batch;
    for (int i = 1; i <= 300; ++i)
        batch.push_back(record.accepted(i));
    auto report = record.must_record(std::span(batch).first(200));
    CHECK(report.fresh == 200);
    CHECK(report.duplicates == 0);
    report = record.must_record(batch);
    CHECK(report.fresh == 100);
    CHECK(report.duplicates == 200);
    CHECK(report.parked.empty());
    const auto orders = record.orders();
    REQUIRE(orders.size() == 300);
    for (const events::event& one : batch) {
        CHECK(orders.at(one.id).user_id == one.user_id);
        CHECK(orders.at(one.id).idempotency_key == one.idempotency_key);
        CHECK(orders.at(one.id).generation == one.generation);
        CHECK(orders.at(one.id).seq == one.seq);
    }
    CHECK(record.parked().empty());
}

TEST_CASE("recording: what can be no order is set aside with why, the rest goes in") {
    order_record record(each_database());
    const events::event first = record.accepted(7, 3, "key");
    record.must_record(std::span(&first, 1));
    std::vector<events::event> batch;
    batch.push_back(record.accepted(1));
    batch.push_back(record.accepted(7, 3, "key"));  // its key has another order
    batch.push_back(record.accepted(2));
    batch.push_back(record.accepted(3));
    batch.back().quantity = -1;
    batch.push_back(record.accepted(7, 4, "key"));
    const std::vector<events::poison> poison{{"not JSON", "expected an object"}};
    for (int round = 0; round < 2; ++round) {
        const auto report = record.must_record(batch, poison);
        CHECK(report.fresh == (round == 0 ? 3 : 0));
        CHECK(report.duplicates == (round == 0 ? 0 : 3));
        CHECK(std::set<uuid>(report.parked.begin(), report.parked.end()) ==
              std::set<uuid>{batch[1].id, batch[3].id});
    }
    CHECK(record.orders().size() == 4);
    const auto parked = record.parked();
    REQUIRE(parked.size() == 3);
    CHECK(parked.at(batch[1].id).reason == "another order has its idempotency key");
    CHECK(parked.at(batch[3].id).reason.find("orders_quantity_positive") != std::string::npos);
    CHECK(events::parse(parked.at(batch[1].id).event)->user_id == 7);
    CHECK(std::ranges::count_if(parked, [](const auto& one) {
              return one.second.event == "not JSON" && one.second.reason == "expected an object";
          }) == 1);
}

TEST_CASE("recording: two of one key in one batch are one order and one set aside") {
    order_record record(each_database());
    const std::vector<events::event> batch{record.accepted(7, 3, "key"),
                                           record.accepted(7, 3, "key")};
    const auto report = record.must_record(batch);
    CHECK(report.fresh == 1);
    CHECK(report.parked.size() == 1);
    CHECK(record.orders().size() == 1);
    CHECK(record.parked().size() == 1);
}

TEST_CASE("recording: parking after the fact, each once") {
    order_record record(each_database());
    const std::vector<parking> all{{record.make.make(), "a", "first"},
                                   {record.make.make(), "b", "second"}};
    REQUIRE(record.recording->park(std::span(all).first(1)).has_value());
    REQUIRE(record.recording->park(all).has_value());
    REQUIRE(record.recording->park({}).has_value());
    const auto parked = record.parked();
    REQUIRE(parked.size() == 2);
    CHECK(parked.at(all[0].id).reason == "first");
    CHECK(parked.at(all[1].id).event == "b");
}

TEST_CASE("recording: the newest barrier of each shard is read back") {
    order_record record(each_database());
    CHECK(record.recording->passed_barriers()->empty());
    const auto barrier = [&](std::uint32_t shard, std::uint64_t generation) {
        events::event out;
        out.what = events::event::kind::barrier;
        out.id = record.make.make();
        out.shard = shard;
        out.generation = generation;
        return out;
    };
    const std::vector<events::event> barriers{barrier(0, 2), barrier(1, 7), barrier(0, 3)};
    for (int round = 0; round < 2; ++round) {
        REQUIRE(record.recording->record_barriers(barriers).has_value());
        const auto passed = record.recording->passed_barriers();
        REQUIRE(passed.has_value());
        std::map<std::uint32_t, std::uint64_t> newest;
        for (const auto& one : *passed)
            newest[one.shard] = one.generation;
        CHECK(newest == std::map<std::uint32_t, std::uint64_t>{{0, 3}, {1, 7}});
    }
    REQUIRE(record.recording->record_barriers({}).has_value());
}

TEST_CASE(
    "recording: a late event is neither recorded nor set aside, and a recorded one not late") {
    order_record record(each_database());
    const events::event known = record.accepted(1), late = record.accepted(2);
    record.must_record(std::span(&known, 1));
    const std::vector<events::event> both{known, late};
    record.must_record({}, {}, both);
    record.must_record({}, {}, both);
    CHECK(record.orders().size() == 1);
    CHECK(record.parked().empty());
    // Kept once: a second row would be a second reservation.
    record.database.sql(
        "CREATE TABLE only_one (n INTEGER CHECK (n = 1));"
        "INSERT INTO only_one SELECT count(*) FROM late;"
        "DROP TABLE only_one");
}

TEST_CASE("recording: on a full disk nothing is half recorded, and nothing is lost") {
    small_disk disk(1 << 20);
    sqlite::options settings;  // a server's disk is its own affair
    settings.file = disk / "order.db";
    sqlite::migrate(settings, order::sqlite_migrations());
    auto file = sqlite::database::open(settings);
    REQUIRE(file.has_value());
    const auto recording = order::make_sqlite_recording(*file);
    const auto reader = order::make_sqlite_record_reader(*file);
    uuid_generator make;
    std::vector<events::event> batch(100);
    std::int64_t recorded = 0;
    const auto record_next = [&] {
        for (events::event& one : batch) {
            one.id = make.make();
            one.user_id = ++recorded;
            one.product_id = one.quantity = 1;
            one.idempotency_key = one.id.to_string();
            one.created_at = one.id.time();
        }
        auto done = recording->record(batch, {}, {});
        if (!done) recorded -= std::ssize(batch);
        return done;
    };
    disk.fill();
    std::expected<order::recording_report, std::string> last;
    while ((last = record_next()) && recorded < 100'000) {
    }
    REQUIRE_FALSE(last.has_value());
    CHECK(last.error().find("full") != std::string::npos);
    const auto count = [&] {
        std::int64_t orders = 0;
        REQUIRE(reader->for_each_order([&](const order::recorded_order&) { ++orders; }));
        return orders;
    };
    CHECK(count() == recorded);
    disk.empty();
    last = recording->record(batch, {}, {});
    REQUIRE(last.has_value());
    CHECK(last->fresh == batch.size());
    CHECK(count() == recorded + std::ssize(batch));
}
