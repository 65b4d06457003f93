// The record as a gate is rebuilt from it, on each database.

#include <catch2/catch.hpp>

#include <set>

#include "order_record.hpp"

using namespace flashsale;
using namespace flashsale::test;

TEST_CASE("record reader: each order of the shard once, in pieces, with all that a gate needs") {
    order_record record(each_database());
    std::vector<events::order_accepted> all;
    for (int n = 1; n <= 1'000; ++n) {
        all.push_back(record.accepted(n, n % 4, "k" + std::to_string(n)));
        all.back().quantity = n;
        all.back().unit_price = 7;
        if (n % 8 == 3) all.back().currency = *currency_code::parse("USD");
        all.back().epoch = 2;
        all.back().seq = static_cast<std::uint64_t>(n);
    }
    record.must_record(all);
    const auto& reader = record.reader;
    for (const std::size_t rows_max : {1'000uz, 300uz, 250uz, 7uz}) {
        std::set<std::int64_t> seen;
        std::optional<stock::allocation_id> after = stock::allocation_id{};
        while (after) {
            auto page = reader->orders(3, 4, *after, rows_max);
            REQUIRE(page.has_value());
            CHECK(page->rows.size() <= rows_max);
            for (const stock::allocation& one : page->rows) {
                CHECK(one.product_id == 3);
                CHECK(one.quantity == one.user_id);
                CHECK(one.unit_price == 7);
                CHECK(one.currency.text() == (one.user_id % 8 == 3 ? "USD" : ""));
                CHECK(one.idempotency_key == "k" + std::to_string(one.user_id));
                CHECK(one.epoch == 2);
                CHECK(one.seq == static_cast<std::uint64_t>(one.user_id));
                CHECK(seen.insert(one.user_id).second);
            }
            after = page->next;
        }
        CHECK(seen.size() == 250);
    }
}

TEST_CASE("record reader: parked events that hold units, of the shard, and no others") {
    order_record record(each_database());
    // As the recorder parks them; a person, or a gate that refuses, may take their units.
    const auto park = [&](std::int64_t product, bool holds_units, bool readable = true) {
        events::order_accepted what = record.accepted(9, product, "parked \"key\"");
        what.quantity = 2;
        what.epoch = 3;
        const order::parking one{what.id, readable ? events::text_of(what) : "no event", "test"};
        REQUIRE(record.recording->park(std::span(&one, 1)).has_value());
        if (!holds_units) {
            const char* no = record.database.session() ? "false" : "0";
            record.database.sql(std::string("UPDATE parked SET holds_units = ") + no +
                                " WHERE reason = 'test'");
        }
        record.database.sql("UPDATE parked SET reason = 'done'");
        return what.id;
    };
    std::set<uuid> expected;
    for (int i = 0; i < 10; ++i) {
        expected.insert(park(5, true));
        park(4, true);
        park(5, false);
        park(5, true, false);
    }
    const auto& reader = record.reader;
    for (const std::size_t rows_max : {100uz, 3uz}) {
        std::set<uuid> seen;
        std::optional<uuid> after = uuid{};
        while (after) {
            auto page = reader->parked(1, 2, *after, rows_max);
            REQUIRE(page.has_value());
            for (const stock::allocation& one : page->rows) {
                CHECK(one.idempotency_key == "parked \"key\"");
                CHECK(one.quantity == 2);
                CHECK(one.epoch == 3);
                CHECK(seen.insert(one.order_id).second);
            }
            after = page->next;
        }
        CHECK(seen == expected);
    }
    std::vector<uuid> asked(expected.begin(), expected.end());
    asked.push_back(record.make.make());
    asked.push_back(park(5, false));
    const auto recorded = reader->recorded(asked);
    REQUIRE(recorded.has_value());
    CHECK(std::set<uuid>(recorded->begin(), recorded->end()) == expected);
}
