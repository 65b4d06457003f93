// Late events are asked for again, page by page, and what cannot be decided holds nothing up.

#include <catch2/catch.hpp>

#include <flashsale/order/recovery.hpp>

#include <algorithm>

#include "order_record.hpp"
#include "played_gate.hpp"

using namespace flashsale;
using namespace flashsale::test;

TEST_CASE("late: more that cannot be decided than a page has do not hide one that can") {
    order_record record(database_kind::postgres);
    postgres::session& database = *record.database.session();
    const auto store = order::make_postgres_late_store(database);
    std::vector<events::order_accepted> late;
    for (int i = 0; i < 5; ++i)
        late.push_back(record.accepted(i + 1));
    std::ranges::sort(late, {}, &events::event_base::id);
    const std::vector<events::event> kept(late.begin(), late.end());
    REQUIRE(record.recording->keep_late(kept).has_value());
    played_gate gate;
    gate.recorded = {late.back().id};

    constexpr std::size_t page = 2;
    uuid after;
    std::size_t settled = 0;
    const auto pass = [&] {
        const auto report = order::ask_again(*store, gate, at_once, 0, after, page);
        REQUIRE(report.has_value());
        CHECK(report->asked <= page);
        settled += report->resolved;
        after = report->next.value_or(uuid{});
    };
    for (int i = 0; i < 3; ++i)
        pass();
    CHECK(settled == 1);
    CHECK(gate.asked == std::vector{late[0].id, late[1].id, late[2].id, late[3].id, late[4].id});

    // The others are still there, and the pages begin anew.
    gate.recorded = {late[0].id, late[1].id, late[2].id, late[3].id};
    for (int i = 0; i < 3; ++i)
        pass();
    CHECK(settled == 5);
    CHECK(record.reader->late()->empty());
}
