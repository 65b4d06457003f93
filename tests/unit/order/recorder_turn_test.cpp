#include <catch2/catch.hpp>

#include "recording/recorder_turn.hpp"

using namespace flashsale::order;
using namespace std::chrono_literals;

namespace {

const recorder_turn::time start{1h};

}  // namespace

TEST_CASE("recorder's turn: it lets go once nothing was recorded for its patience, not before") {
    recorder_turn turn(5s);
    CHECK_FALSE(turn.failed(start, start + 1s));
    CHECK_FALSE(turn.must_let_go(start + 4'999ms));
    CHECK(turn.must_let_go(start + 5s));
    CHECK(turn.failed(start + 4s, start + 6s));
    // One attempt that hangs is enough.
    CHECK(recorder_turn(5s).failed(start, start + 6s));
}

TEST_CASE("recorder's turn: what was recorded in time begins the count anew") {
    recorder_turn turn(5s);
    CHECK_FALSE(turn.failed(start, start + 4s));
    CHECK_FALSE(turn.recorded(start + 4s, start + 5s));
    CHECK_FALSE(turn.must_let_go(start + 6s));
    CHECK_FALSE(turn.failed(start + 6s, start + 7s));
}

TEST_CASE("recorder's turn: what failed before a turn was lost does not count in the next") {
    recorder_turn turn(5s);
    CHECK_FALSE(turn.failed(start, start + 4s));
    turn.lost();
    CHECK_FALSE(turn.must_let_go(start + 1h));
    CHECK_FALSE(turn.failed(start + 1h, start + 1h + 1s));
    CHECK(turn.failed(start + 1h, start + 1h + 5s));
}

TEST_CASE("recorder's turn: a batch that took as long as its patience is as good as a failure") {
    recorder_turn turn(5s);
    CHECK_FALSE(turn.recorded(start, start + 4'999ms));
    CHECK(turn.recorded(start, start + 5s));
}

TEST_CASE("recorder's turn: without others it never lets go") {
    recorder_turn turn(0s);
    CHECK_FALSE(turn.failed(start, start + 24h));
    CHECK_FALSE(turn.must_let_go(start + 24h));
    CHECK_FALSE(turn.recorded(start, start + 24h));
}

TEST_CASE(
    "recorder's turn: back when its databases answer, and the log is free or its time is up") {
    recorder_turn turn(5s);
    turn.let_go(start);
    REQUIRE(turn.is_off());
    CHECK_FALSE(turn.may_return(start + 24h, false, false));
    CHECK_FALSE(turn.may_return(start + 1s, true, true));
    CHECK_FALSE(turn.may_return(start + 1s, true, std::nullopt));
    CHECK(turn.may_return(start + 1s, true, false));
    CHECK(turn.may_return(start + 5s, true, true));
    CHECK(turn.may_return(start + 5s, true, std::nullopt));
    turn.returned();
    CHECK_FALSE(turn.is_off());
}

TEST_CASE("recorder's turn: where nobody can record, letting go becomes rare, and is bounded") {
    recorder_turn turn(5s);
    auto now = start;
    int times = 0;
    while (now < start + 24h) {
        const auto began = now;
        while (!turn.failed(now, now + 100ms))
            now += 100ms;
        CHECK(now + 100ms - began >= 5s);
        CHECK(now - began <= 60s);
        turn.let_go(now);
        now += 1s;
        REQUIRE(turn.may_return(now, true, false));  // no other is there
        turn.returned();
        ++times;
    }
    // Of a million deliveries that a message has: years.
    CHECK(times < 1'500);
    // And quick again once it could record.
    CHECK_FALSE(turn.recorded(now, now + 1s));
    CHECK(turn.failed(now, now + 5s));
}

TEST_CASE("recorder's turn: the time off grows, and is bounded too") {
    recorder_turn turn(5s);
    auto now = start;
    std::chrono::milliseconds last{0};
    for (int i = 0; i < 20; ++i) {
        turn.let_go(now);
        auto off = 0ms;
        while (!turn.may_return(now + off, true, true))
            off += 100ms;
        CHECK(off >= last);
        CHECK(off <= 60s);
        last = off;
        turn.returned();
    }
    CHECK(last == 60s);
}
