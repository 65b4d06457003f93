#include <catch2/catch.hpp>

#include <flashsale/order/recovery.hpp>

#include <algorithm>

#include "order_record.hpp"

using namespace flashsale;
using namespace flashsale::test;

TEST_CASE("known seqs: orders, and what is set aside, of a shard and an epoch, in pages") {
    order_record record(database_kind::postgres);
    std::vector<events::order_accepted> all;
    std::uint64_t seq = 0;
    for (int n = 1; n <= 45'000; ++n) {
        all.push_back(record.accepted(n, n % 4, "k" + std::to_string(n)));
        all.back().epoch = n % 3 == 0 ? 1 : 2;
        all.back().seq = ++seq;
    }
    record.must_record(all);
    const auto set_aside = [&](std::uint64_t epoch, std::int64_t product) {
        events::order_accepted one = record.accepted(9, product, "parked " + std::to_string(++seq));
        one.epoch = epoch;
        one.seq = seq;
        return one;
    };
    const events::order_accepted parked = set_aside(2, 3), dropped = set_aside(2, 3),
                                 late = set_aside(2, 3), elsewhere = set_aside(2, 4),
                                 earlier = set_aside(1, 3);
    for (const auto& one : {parked, dropped, elsewhere, earlier}) {
        const order::parking what{one.id, events::text_of(one), "test"};
        REQUIRE(record.recording->park(std::span(&what, 1)).has_value());
    }
    record.database.sql(
        "UPDATE parked SET holds_units = false, dropped_at = now() WHERE event_id = '" +
        dropped.id.to_string() + "'");
    const events::event kept = late;
    REQUIRE(record.recording->keep_late(std::span(&kept, 1)).has_value());
    const order::parking poison{uuid_generator().make(), "no event", "test"};
    REQUIRE(record.recording->park(std::span(&poison, 1)).has_value());

    int pages = 0;
    auto found = order::find_known_seqs(*record.database.session(), 1, 2, 2,
                                        [&]() -> std::expected<void, std::string> {
                                            ++pages;
                                            return {};
                                        });
    REQUIRE(found.has_value());
    CHECK(pages == 4);
    std::vector<std::uint64_t> expected;
    for (const auto& one : all) {
        if (one.epoch == 2 && one.product_id % 2 == 1) expected.push_back(one.seq);
    }
    std::ranges::sort(found->orders);
    CHECK(found->orders == expected);
    std::ranges::sort(found->set_aside);
    CHECK(found->set_aside == std::vector{parked.seq, dropped.seq, late.seq});
    CHECK(found->unreadable == 1);
}
