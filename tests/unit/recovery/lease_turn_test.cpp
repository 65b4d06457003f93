#include "lease_turn.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::recovery;
using namespace std::chrono_literals;

namespace {

const lease_turn::time start{1h};

}  // namespace

TEST_CASE("lease's turn: it lets go once it could not work for its patience, not before") {
    lease_turn turn(5s);
    CHECK_FALSE(turn.failed(start, start + 1s));
    CHECK_FALSE(turn.failed(start + 4s, start + 4'999ms));
    CHECK(turn.failed(start + 4s, start + 5s));
    // One rebuild that hangs is enough.
    CHECK(lease_turn(5s).failed(start, start + 6s));
    CHECK_FALSE(lease_turn(0s).failed(start, start + 24h));
}

TEST_CASE("lease's turn: a pass that worked, or a lease that was lost, begins the count anew") {
    const bool lost = GENERATE(false, true);
    lease_turn turn(5s);
    CHECK_FALSE(turn.failed(start, start + 4s));
    if (lost) {
        turn.lost();
    } else {
        turn.worked();
    }
    CHECK_FALSE(turn.failed(start + 5s, start + 6s));
}

TEST_CASE("lease's turn: back when what failed works again, when its time is up, or if none came") {
    lease_turn turn(5s);
    REQUIRE(turn.failed(start, start + 5s));
    turn.let_go(start);
    REQUIRE(turn.is_off());
    SECTION("works again") {
        CHECK_FALSE(turn.may_return(start + 1s, false, true));
        CHECK(turn.may_return(start + 1s, true, true));
    }
    SECTION("its time is up, though another has the lease") {
        CHECK_FALSE(turn.may_return(start + 9'999ms, false, true));
        CHECK(turn.may_return(start + 10s, false, true));
    }
    SECTION("none came") {
        CHECK_FALSE(turn.may_return(start + 1s, false, false));
        CHECK_FALSE(turn.may_return(start + 4s, false, true));
        CHECK_FALSE(turn.may_return(start + 4s, false, false));
        CHECK_FALSE(turn.may_return(start + 8'999ms, false, false));
        CHECK(turn.may_return(start + 9s, false, false));
    }
    turn.returned();
    CHECK_FALSE(turn.is_off());
    CHECK_FALSE(turn.failed(start + 20s, start + 21s));
}

TEST_CASE("lease's turn: where nobody can, letting go becomes rarer, and is bounded") {
    lease_turn turn(5s);
    auto now = start;
    for (const auto patience : {5s, 10s, 20s, 20s}) {
        CHECK_FALSE(turn.failed(now, now + patience - 1ms));
        CHECK(turn.failed(now, now + patience));
        turn.let_go(now += patience);
        CHECK_FALSE(turn.may_return(now + 9'999ms, false, true));
        CHECK(turn.may_return(now + 20s, false, true));
        turn.returned();
    }
    turn.worked();
    CHECK(turn.failed(now, now + 5s));
}
