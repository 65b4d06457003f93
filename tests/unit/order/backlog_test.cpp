#include <catch2/catch.hpp>

#include "recording/backlog.hpp"

using namespace flashsale::order;
using namespace std::chrono_literals;

namespace {

const backlog_of_shards::time start{1h};

}  // namespace

TEST_CASE("backlog: the oldest and the most of all shards, if every one has answered lately") {
    backlog_of_shards all(2);
    all.seen(0, start, 1, 100, 0);
    CHECK_FALSE(all.at(start));
    all.seen(1, start, 1, 500, 0);
    REQUIRE(all.at(start));
    CHECK(all.at(start)->age == 0ms);

    all.seen(0, start + 500ms, 1, 150, 50);
    all.seen(1, start + 500ms, 1, 520, 20);
    const auto now = all.at(start + 600ms);
    REQUIRE(now);
    CHECK(now->age == 600ms);
    CHECK(now->events == 50);
    CHECK(all.at(start + 1'500ms));
    CHECK_FALSE(all.at(start + 1'501ms));
    all.seen(0, start + 1'400ms, 1, 150, 50);
    CHECK_FALSE(all.at(start + 1'501ms));  // the other one is silent

    all.forget();
    CHECK_FALSE(all.at(start + 1'400ms));
}

TEST_CASE("backlog: what was recorded since the mark, by any process, under one epoch") {
    backlog_of_shards all(1);
    all.seen(0, start, 1, 100, 50);
    CHECK_FALSE(all.recorded_since_mark());
    all.seen(0, start, 1, 110, 60);
    CHECK_FALSE(all.recorded_since_mark());
    all.seen(0, start, 1, 110, 59);
    CHECK(all.recorded_since_mark());
    all.set_mark();
    CHECK_FALSE(all.recorded_since_mark());
    all.seen(0, start, 1, 110, 58);
    CHECK_FALSE(all.recorded_since_mark());
    all.seen(0, start, 2, 900, 0);  // another gate: it counts anew
    CHECK_FALSE(all.recorded_since_mark());
}
