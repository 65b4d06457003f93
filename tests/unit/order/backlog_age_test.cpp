#include <catch2/catch.hpp>

#include "recording/backlog_age.hpp"

using namespace flashsale::order;
using namespace std::chrono_literals;

namespace {

const backlog_age::time start{1h};

}  // namespace

TEST_CASE("backlog's age: nothing waits, nothing is old; nothing was seen, nothing is known") {
    backlog_age age;
    CHECK_FALSE(age.at(start));
    age.seen(start, 1, 100, 0);
    CHECK(age.at(start + 10s) == 0ms);
}

TEST_CASE("backlog's age: what waited before the first look may be of any age") {
    backlog_age age;
    age.seen(start, 1, 100, 30);  // 70 are recorded, and the 71st was granted some day
    CHECK_FALSE(age.at(start));
    age.seen(start + 1s, 1, 150, 60);  // 90
    CHECK_FALSE(age.at(start + 1s));
    age.seen(start + 2s, 1, 160, 60);  // the 101st came after the first look
    CHECK(age.at(start + 2s) == 2s);
}

TEST_CASE("backlog's age: no event is younger than it says, and none much older") {
    backlog_age age;
    // An event each millisecond, recorded 700 ms later, a look each 200 ms.
    for (std::uint64_t ms = 0; ms < 10'000; ms += 200) {
        const std::uint64_t waiting = std::min<std::uint64_t>(ms, 700);
        age.seen(start + std::chrono::milliseconds{ms}, 1, ms, waiting);
        if (ms < 1'000) continue;
        const auto found = age.at(start + std::chrono::milliseconds{ms});
        REQUIRE(found);
        CHECK(*found >= 700ms);
        CHECK(*found <= 900ms);
    }
    // Nothing is recorded any more.
    age.seen(start + 12s, 1, 12'000, 2'900);
    CHECK(*age.at(start + 12s) >= 2'900ms);
    CHECK(*age.at(start + 13s) >= 3'900ms);
}

TEST_CASE("backlog's age: while nothing is granted, what waits grows old all the same") {
    backlog_age age;
    age.seen(start, 1, 100, 0);
    age.seen(start + 1s, 1, 150, 50);
    age.seen(start + 2s, 1, 150, 50);
    CHECK(age.at(start + 2s) == 2s);
    age.seen(start + 3s, 1, 150, 0);
    CHECK(age.at(start + 3s) == 0ms);
    age.seen(start + 4s, 1, 151, 1);
    CHECK(age.at(start + 4s) == 1s);
}

TEST_CASE("backlog's age: a rebuilt gate counts from nothing") {
    backlog_age age;
    age.seen(start, 1, 1'000, 0);
    age.seen(start + 1s, 2, 5, 5);
    CHECK_FALSE(age.at(start + 1s));
    age.seen(start + 2s, 2, 9, 4);
    CHECK(age.at(start + 2s) == 1s);
}

TEST_CASE("backlog's age: it remembers no more than so much, and is then on the safe side") {
    backlog_age age;
    age.seen(start, 1, 0, 0);
    for (std::uint64_t i = 1; i < 3'000; ++i)
        age.seen(start + std::chrono::seconds{i}, 1, i, i);
    CHECK(age.at(start + 3'000s) == 3'000s);
    // Half of it is recorded: the event is 1,500 s old, and called no younger.
    age.seen(start + 3'000s, 1, 3'000, 1'500);
    CHECK(*age.at(start + 3'000s) >= 1'500s);
}
