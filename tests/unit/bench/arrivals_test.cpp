#include "load/arrivals.hpp"

#include <catch2/catch.hpp>

using flashsale::bench::arrivals;
using namespace std::chrono_literals;

TEST_CASE("arrivals: one each interval, the first at the start") {
    const auto start = arrivals::time_point{} + 1h;
    const arrivals hundred{start, 100};
    CHECK(hundred.due(0) == start);
    CHECK(hundred.due(1) == start + 10ms);
    CHECK(hundred.due(250) == start + 2'500ms);
    CHECK(hundred.due_by(start - 1ns) == 0);
    CHECK(hundred.due_by(start) == 1);
    CHECK(hundred.due_by(start + 10ms - 1ns) == 1);
    CHECK(hundred.due_by(start + 10ms) == 2);
}

TEST_CASE("arrivals: a rate that does not divide a second drifts by nothing") {
    const auto start = arrivals::time_point{} + 1h;
    for (const double rate : {3.0, 7.0, 13'337.0, 999'983.0}) {
        const arrivals odd{start, rate};
        const auto hour = static_cast<std::uint64_t>(rate * 3'600);
        CHECK(odd.due(hour) - (start + 1h) < 1us);
        CHECK((start + 1h) - odd.due(hour) < 1us);
        for (std::uint64_t n :
             {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, hour / 3, hour}) {
            CHECK(odd.due_by(odd.due(n)) == n + 1);
            CHECK(odd.due_by(odd.due(n) - 1ns) == n);
        }
    }
}
