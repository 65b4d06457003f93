// What every way of the recorder into the order database does, on each database.

#include <catch2/catch.hpp>

#include <flashsale/order/recovery.hpp>
#include <future>
#include <set>
#include <thread>

#include "eventually.hpp"
#include "order_record.hpp"
#include "played_gate.hpp"

using namespace flashsale;
using namespace flashsale::test;
using order::parking;
using namespace std::chrono_literals;

namespace {

/// As the reconciler does it, with a gate that refuses.
void refuse_late(order_record& record, const std::set<uuid>& expected) {
    played_gate gate;
    gate.otherwise = stock::errc::out_of_stock;
    const auto store = order::make_postgres_late_store(*record.database.session());
    const auto report = order::ask_again(*store, gate, at_once, 0, {}, 100);
    REQUIRE(report.has_value());
    CHECK(report->refused == expected.size());
}

}  // namespace

TEST_CASE("recording: an order is recorded once, however often it comes") {
    order_record record(each_database());
    std::vector<events::order_accepted> batch;
    for (int i = 1; i <= 300; ++i) {
        batch.push_back(record.accepted(i));
        if (i % 2 == 0) batch.back().currency = *currency_code::parse("USD");
    }
    auto report = record.must_record(std::span(batch).first(200));
    CHECK(report.fresh == 200);
    CHECK(report.duplicates == 0);
    report = record.must_record(batch);
    CHECK(report.fresh == 100);
    CHECK(report.duplicates == 200);
    CHECK(report.parked.empty());
    const auto orders = record.orders();
    REQUIRE(orders.size() == 300);
    for (const events::order_accepted& one : batch) {
        CHECK(orders.at(one.id).user_id == one.user_id);
        CHECK(orders.at(one.id).idempotency_key == one.idempotency_key);
        CHECK(orders.at(one.id).epoch == one.epoch);
        CHECK(orders.at(one.id).seq == one.seq);
    }
    const auto page = record.reader->orders(0, 1, {}, 1'000);
    REQUIRE(page.has_value());
    REQUIRE(page->rows.size() == 300);
    for (const stock::allocation& one : page->rows)
        CHECK(one.currency.text() == (one.user_id % 2 == 0 ? "USD" : ""));
    CHECK(record.parked().empty());
}

TEST_CASE("recording: what can be no order is set aside with why, the rest goes in") {
    order_record record(each_database());
    const events::order_accepted first = record.accepted(7, 3, "key");
    record.must_record(std::span(&first, 1));
    std::vector<events::order_accepted> batch;
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
    CHECK(std::get<events::order_accepted>(*events::parse(parked.at(batch[1].id).event)).user_id ==
          7);
    CHECK(std::ranges::count_if(parked, [](const auto& one) {
              return one.second.event == "not JSON" && one.second.reason == "expected an object";
          }) == 1);
}

TEST_CASE("recording: two of one key in one batch are one order and one set aside") {
    order_record record(each_database());
    const std::vector<events::order_accepted> batch{record.accepted(7, 3, "key"),
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

TEST_CASE("recording: a barrier is recorded once") {
    order_record record(each_database());
    const auto barrier = [&](std::uint32_t shard, std::uint64_t epoch) {
        events::barrier out;
        out.id = record.make.make();
        out.shard = shard;
        out.epoch = epoch;
        return out;
    };
    const std::vector<events::barrier> barriers{barrier(0, 2), barrier(1, 7), barrier(0, 3)};
    for (int round = 0; round < 2; ++round) {
        REQUIRE(record.recording->record_barriers(barriers).has_value());
        record.database.sql(
            "CREATE TABLE three (n INTEGER CHECK (n = 3));"
            "INSERT INTO three SELECT count(*) FROM barriers;"
            "DROP TABLE three");
    }
    REQUIRE(record.recording->record_barriers({}).has_value());
}

TEST_CASE(
    "recording: a late event is neither recorded nor set aside, and a recorded one not late") {
    order_record record(each_database());
    const events::order_accepted known = record.accepted(1), late = record.accepted(2);
    record.must_record(std::span(&known, 1));
    const std::vector<events::event> both{known, late};
    REQUIRE(record.recording->keep_late(both).has_value());
    REQUIRE(record.recording->keep_late(both).has_value());
    REQUIRE(record.recording->keep_late({}).has_value());
    CHECK(record.orders().size() == 1);
    CHECK(record.parked().empty());
    // Kept once: a second row would be a second reservation.
    record.database.sql(
        "CREATE TABLE only_one (n INTEGER CHECK (n = 1));"
        "INSERT INTO only_one SELECT count(*) FROM late;"
        "DROP TABLE only_one");
}

TEST_CASE(
    "recording: what is older than its shard's fence is kept for the gate to be asked again") {
    order_record record(database_kind::postgres);
    const auto of = [&](std::int64_t user, std::uint32_t shard, std::uint64_t epoch) {
        auto out = record.accepted(user);
        out.shard = shard;
        out.epoch = epoch;
        return out;
    };
    auto& session = *record.database.session();
    const events::order_accepted known = of(1, 0, 1);
    record.must_record(std::span(&known, 1));
    REQUIRE(order::raise_fence(session, 0, 3, wall_clock_now()).has_value());
    REQUIRE(order::raise_fence(session, 0, 2, wall_clock_now()).has_value());
    const std::vector<events::order_accepted> batch{known, of(2, 0, 2), of(3, 0, 3), of(4, 1, 1)};
    for (int round = 0; round < 2; ++round) {
        const auto report = record.must_record(batch);
        CHECK(report.late == std::vector{batch[0].id, batch[1].id});
        CHECK(report.fresh + report.duplicates == 2);
    }
    const auto also_late = of(5, 0, 1), in_time = of(6, 0, 3);
    const std::vector<parking> apart{{also_late.id, events::text_of(also_late), "late"},
                                     {in_time.id, events::text_of(in_time), "in time"}};
    REQUIRE(record.recording->park(apart).has_value());
    CHECK(record.orders().size() == 3);
    CHECK(record.parked().size() == 1);
    const auto late = record.reader->late();
    REQUIRE(late.has_value());
    CHECK(std::set<uuid>(late->begin(), late->end()) == std::set{batch[1].id, also_late.id});

    // For a parked event every gate since has kept units.
    const auto by_hand = order::make_postgres_recording(session, false);
    const auto old = of(7, 0, 1);
    CHECK(by_hand->record(std::span(&old, 1), {})->fresh == 1);
    const auto refused = of(8, 0, 1);
    const parking one{refused.id, events::text_of(refused), "refused"};
    REQUIRE(by_hand->park(std::span(&one, 1)).has_value());
    CHECK(record.parked().size() == 2);

    std::vector<uuid> asked{batch[0].id, batch[1].id, batch[2].id, in_time.id};
    const std::set<uuid> known_ids(asked.begin(), asked.end());
    asked.push_back(record.make.make());
    const auto there = order::known_events(session, asked);
    REQUIRE(there.has_value());
    CHECK(std::set<uuid>(there->begin(), there->end()) == known_ids);
}

namespace {

/// Whether a session of this database does.
bool waits_for_orders(postgres::session& looks) {
    const auto found = looks.execute(
        "SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
        " JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()"
        " WHERE c.relname = 'orders' AND NOT l.granted");
    return found && !found->empty();
}

}  // namespace

TEST_CASE("recording: a fence is not raised in the middle of a batch, nor overlooked by one") {
    order_record record(database_kind::postgres);
    postgres::session holder(record.database.server()), rebuilder(record.database.server()),
        looks(record.database.server());
    using attempt = std::expected<void, postgres::error>;
    const events::order_accepted slow = record.accepted(1), after = record.accepted(2),
                                 meanwhile = record.accepted(3);
    const auto record_one = [&](const events::order_accepted& one) {
        return std::async(std::launch::async,
                          [&record, &one] { return record.must_record(std::span(&one, 1)); });
    };
    std::future<order::recording_report> recorded;
    std::future<std::expected<void, std::string>> raised;
    const auto held = holder.transaction([&](postgres::session& in) -> attempt {
        if (auto done = in.execute("LOCK TABLE orders IN EXCLUSIVE MODE"); !done)
            return std::unexpected(done.error());
        recorded = record_one(slow);  // has seen its fence, and waits for the table
        REQUIRE(eventually(60s, [&] { return waits_for_orders(looks); }));
        raised = std::async(std::launch::async,
                            [&] { return order::raise_fence(rebuilder, 0, 2, wall_clock_now()); });
        CHECK(raised.wait_for(300ms) == std::future_status::timeout);
        return {};
    });
    REQUIRE(held.has_value());
    CHECK(recorded.get().fresh == 1);
    REQUIRE(raised.get().has_value());
    CHECK(record.must_record(std::span(&after, 1)).late == std::vector{after.id});

    const auto raising = holder.transaction([&](postgres::session& in) -> attempt {
        if (auto locked = in.execute("LOCK TABLE fences IN ACCESS EXCLUSIVE MODE"); !locked)
            return std::unexpected(locked.error());
        recorded = record_one(meanwhile);
        CHECK(recorded.wait_for(300ms) == std::future_status::timeout);
        if (auto set = in.execute("DELETE FROM fences"); !set) return std::unexpected(set.error());
        return {};
    });
    REQUIRE(raising.has_value());
    CHECK(recorded.get().fresh == 1);  // by the fence as it was when it could look
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
    std::vector<events::order_accepted> batch(100);
    std::int64_t recorded = 0;
    const auto record_next = [&] {
        for (events::order_accepted& one : batch) {
            one.id = make.make();
            one.user_id = ++recorded;
            one.product_id = one.quantity = 1;
            one.idempotency_key = one.id.to_string();
            one.created_at = one.id.time();
        }
        auto done = recording->record(batch, {});
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
        REQUIRE(reader->for_each_order([&](const stock::allocation&) { ++orders; }));
        return orders;
    };
    CHECK(count() == recorded);
    disk.empty();
    last = recording->record(batch, {});
    REQUIRE(last.has_value());
    CHECK(last->fresh == batch.size());
    CHECK(count() == recorded + std::ssize(batch));
}

TEST_CASE("recording: a late event keeps the time of its last publication, unless one is unknown") {
    order_record record(database_kind::postgres);
    using namespace std::chrono_literals;
    const timestamp begun = std::chrono::floor<std::chrono::seconds>(wall_clock_now());
    auto& session = *record.database.session();
    REQUIRE(order::raise_fence(session, 0, 2, begun).has_value());
    REQUIRE(order::raise_fence(session, 0, 2, begun + 1h).has_value());  // the first one counts
    REQUIRE(order::raise_fence(session, 0, 3, begun + 2h).has_value());
    const auto fences = record.reader->raised_fences();
    REQUIRE(fences.has_value());
    REQUIRE(fences->size() == 2);
    CHECK((*fences)[0].epoch == 2);
    CHECK((*fences)[0].begun_at == begun);
    CHECK((*fences)[1].epoch == 3);
    CHECK((*fences)[1].raised_at > begun);

    events::order_accepted late = record.accepted(1), unknown = record.accepted(2);
    const auto came = [&](events::order_accepted what, std::optional<timestamp> at) {
        what.published_at = at;
        return what;
    };
    const auto keep = [&](const std::vector<events::event>& all) {
        REQUIRE(record.recording->keep_late(all).has_value());
    };
    const auto known = [&] {
        std::map<uuid, order::late_event> all;
        for (auto& one : *record.reader->late_events())
            all.emplace(one.id, one);
        return all;
    };
    keep({came(late, begun + 5s), came(late, begun + 7s), came(late, begun + 6s),
          came(unknown, begun)});
    CHECK(known().at(late.id).published_at == begun + 7s);
    CHECK_FALSE(known().at(late.id).refused);
    keep({came(late, begun + 9s), came(unknown, std::nullopt)});
    keep({came(late, begun + 8s), came(unknown, begun + 9s)});
    CHECK(known().at(late.id).published_at == begun + 9s);
    CHECK_FALSE(known().at(unknown.id).published_at.has_value());

    // Refused, it is told still, and what comes again is noted.
    refuse_late(record, {late.id, unknown.id});
    CHECK(known().at(late.id).refused);
    CHECK(known().at(late.id).published_at == begun + 9s);
    keep({came(late, begun + 20s), came(unknown, begun + 20s)});
    CHECK(known().at(late.id).published_at == begun + 20s);
    CHECK_FALSE(known().at(unknown.id).published_at.has_value());
    CHECK(record.reader->late()->empty());

    // To be asked for again by hand: the time goes with it.
    REQUIRE(record.set_aside->ask_again_for(late.id, 0).has_value());
    CHECK_FALSE(known().at(late.id).refused);
    CHECK(known().at(late.id).published_at == begun + 20s);
    REQUIRE(record.set_aside->drop(unknown.id).has_value());
    CHECK_FALSE(known().contains(unknown.id));
    std::size_t dropped = 0;
    REQUIRE(record.reader->for_each_dropped([&](std::string_view text) {
        ++dropped;
        CHECK(events::base_of(*events::parse(text)).id == unknown.id);
    }));
    CHECK(dropped == 1);
}
