// The record as a gate is rebuilt from it.

#include <catch2/catch.hpp>

#include <flashsale/order/record.hpp>
#include <flashsale/postgres.hpp>

#include <set>

#include "sandbox.hpp"

using namespace flashsale;
using namespace flashsale::test;

namespace {

postgres::session session_of(const sandbox& world) {
    postgres::options settings;
    settings.url = world.url(sandbox::database::order);
    return postgres::session(settings);
}

std::string parked_event(const uuid& id, std::int64_t product) {
    events::event what;
    what.id = id;
    what.user_id = 9;
    what.product_id = product;
    what.quantity = 2;
    what.idempotency_key = "parked \"key\"";
    what.created_at = id.time();
    std::string text = events::open_event(what);
    events::close_event(text, 5, 3, 77);
    return text;
}

}  // namespace

TEST_CASE("record reader: each order of the shard once, in pieces, with all that a gate needs") {
    const sandbox world;
    world.sql(
        sandbox::database::order,
        "INSERT INTO orders SELECT gen_random_uuid(), n, n % 4, n, 7, 'SUCCESS', 'k' || n, 2, n,"
        " now() FROM generate_series(1, 1000) n");
    auto database = session_of(world);
    const auto reader = order::make_postgres_record_reader(database);
    for (const std::size_t rows_max : {1'000uz, 300uz, 250uz, 7uz}) {
        std::set<std::int64_t> seen;
        std::optional<uuid> after = uuid{};
        while (after) {
            auto page = reader->orders(3, 4, *after, rows_max);
            REQUIRE(page.has_value());
            CHECK(page->events.size() <= rows_max);
            for (const events::event& one : page->events) {
                CHECK(one.product_id == 3);
                CHECK(one.shard == 3);
                CHECK(one.quantity == one.user_id);
                CHECK(one.unit_price == 7);
                CHECK(one.idempotency_key == "k" + std::to_string(one.user_id));
                CHECK(one.generation == 2);
                CHECK(one.seq == static_cast<std::uint64_t>(one.user_id));
                CHECK(seen.insert(one.user_id).second);
            }
            after = page->next;
        }
        CHECK(seen.size() == 250);
    }
}

TEST_CASE("record reader: parked events that hold units, of the shard, and no others") {
    const sandbox world;
    auto database = session_of(world);
    uuid_generator make;
    const auto park = [&](std::int64_t product, bool holds_units, std::string text = {}) {
        const uuid id = make.make();
        if (text.empty()) text = parked_event(id, product);
        world.sql(sandbox::database::order,
                  "INSERT INTO parked (event_id, event, reason, holds_units) VALUES ('" +
                      id.to_string() + "', '" + text + "', 'test', " +
                      (holds_units ? "true" : "false") + ")");
        return id;
    };
    std::set<uuid> expected;
    for (int i = 0; i < 10; ++i) {
        expected.insert(park(5, true));
        park(4, true);
        park(5, false);
        park(5, true, "no event");
    }
    const auto reader = order::make_postgres_record_reader(database);
    for (const std::size_t rows_max : {100uz, 3uz}) {
        std::set<uuid> seen;
        std::optional<uuid> after = uuid{};
        while (after) {
            auto page = reader->parked(1, 2, *after, rows_max);
            REQUIRE(page.has_value());
            for (const events::event& one : page->events) {
                CHECK(one.idempotency_key == "parked \"key\"");
                CHECK(one.quantity == 2);
                CHECK(one.generation == 3);
                CHECK(seen.insert(one.id).second);
            }
            after = page->next;
        }
        CHECK(seen == expected);
    }
    std::vector<uuid> asked(expected.begin(), expected.end());
    asked.push_back(make.make());
    asked.push_back(park(5, false));
    const auto recorded = reader->recorded(asked);
    REQUIRE(recorded.has_value());
    CHECK(std::set<uuid>(recorded->begin(), recorded->end()) == expected);
}
