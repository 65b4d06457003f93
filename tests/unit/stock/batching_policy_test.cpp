#include <catch2/catch.hpp>

#include "reserving/batching_policy.hpp"

using namespace flashsale::stock;
using namespace std::chrono_literals;

namespace {

constexpr gate_decisions::batching_limits limits{.reservations_max = 8,
                                                 .batches_in_flight_max = 3,
                                                 .beside_another_min = 4,
                                                 .gather_max = 150us,
                                                 .gathered_enough = 6};
constexpr bool alone = false;
constexpr bool among_others = true;

}  // namespace

TEST_CASE("gate batching: a reservation waits for others only if there are any") {
    const gate_batching policy(limits);
    CHECK_FALSE(policy.gathers(alone));
    CHECK(policy.gathers(among_others));
}

TEST_CASE("gate batching: those that wait need not, once enough have gathered") {
    const gate_batching policy(limits);
    CHECK_FALSE(policy.is_enough(5));
    CHECK(policy.is_enough(6));
    CHECK(policy.is_enough(7));
}

TEST_CASE("gate batching: at a gate that does not want it, nothing is gathered") {
    auto at_once = limits;
    at_once.gather_max = 0us;
    CHECK_FALSE(gate_batching(at_once).gathers(among_others));
}

TEST_CASE(
    "gate batching: beside another goes what is worth a call, and no more than the gate takes") {
    const gate_batching policy(limits);
    CHECK(policy.may_go(1, 0));
    CHECK_FALSE(policy.may_go(3, 1));
    CHECK(policy.may_go(4, 1));
    CHECK(policy.may_go(4, 2));
    CHECK_FALSE(policy.may_go(8, 3));
}

TEST_CASE("message gathering: events wait for the batches at the gate") {
    message_gathering policy({.events_enough = 5, .batches_max = 3}, true);
    SECTION("nothing was granted, nothing goes") {
        CHECK_FALSE(policy.goes_after_batch(0));
        CHECK(policy.is_empty());
    }
    SECTION("no batch is left at the gate") {
        policy.add_event();
        CHECK_FALSE(policy.goes_after_batch(1));
        CHECK(policy.goes_after_batch(0));
    }
    SECTION("so many are worth a message") {
        for (int i = 0; i < 4; ++i)
            policy.add_event();
        CHECK_FALSE(policy.goes_after_batch(2));
        policy.add_event();
        CHECK(policy.goes_after_batch(2));
    }
    SECTION("so many batches have come back, counted anew after each message") {
        for (int round = 0; round < 2; ++round) {
            policy.add_event();
            CHECK_FALSE(policy.goes_after_batch(9));
            CHECK_FALSE(policy.goes_after_batch(9));
            CHECK(policy.goes_after_batch(9));
            CHECK_FALSE(policy.is_empty());
            policy.sent();
            CHECK(policy.is_empty());
        }
    }
}

TEST_CASE("message gathering: behind a gate that takes one at a time, events do not wait") {
    message_gathering policy({.events_enough = 5, .batches_max = 3}, false);
    policy.add_event();
    CHECK(policy.goes_after_batch(7));
}
