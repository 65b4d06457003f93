#include "load/histogram.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

using flashsale::bench::histogram;

TEST_CASE("histogram: nothing recorded") {
    const histogram empty;
    CHECK(empty.count() == 0);
    CHECK(empty.at(0.99) == 0);
    CHECK(empty.max() == 0);
    CHECK(empty.mean() == 0);
}

TEST_CASE("histogram: small values are exact") {
    histogram values;
    for (int i = 1; i <= 1'000; ++i)
        values.record(i);
    CHECK(values.at(0) == 1);
    CHECK(values.at(0.5) == 500);
    CHECK(values.at(0.9) == 900);
    CHECK(values.at(0.999) == 999);
    CHECK(values.at(1) == 1'000);
    CHECK(values.mean() == Approx(500.5));
}

TEST_CASE("histogram: three significant digits at every size") {
    for (std::int64_t value = 1; value < (std::int64_t{1} << 40); value += value / 7 + 1) {
        histogram values;
        values.record(value);
        values.record(std::int64_t{1} << 39);
        values.record(std::int64_t{1} << 39);
        if (value > (std::int64_t{1} << 39)) continue;
        const auto kept = values.at(0.1);
        INFO(value);
        CHECK(kept >= value);
        CHECK(static_cast<double>(kept - value) <= static_cast<double>(value) / 1'000);
    }
}

TEST_CASE("histogram: the tail is kept, and what is out of range too") {
    histogram values;
    for (int i = 0; i < 999; ++i)
        values.record(1'000);
    values.record(5'000'000);
    CHECK(values.at(0.999) == 1'000);
    CHECK(values.at(0.9999) == 5'000'000);
    values.record(std::numeric_limits<std::int64_t>::max());
    CHECK(values.max() == std::numeric_limits<std::int64_t>::max());
    CHECK(values.at(1) == values.max());
    values.record(-5);
    CHECK(values.at(0) == 0);
}

TEST_CASE("histogram: merging is recording both") {
    histogram left;
    histogram right;
    histogram both;
    for (int i = 1; i < 5'000; ++i) {
        (i % 3 == 0 ? left : right).record(i * 977);
        both.record(i * 977);
    }
    left.merge(right);
    CHECK(left.count() == both.count());
    CHECK(left.max() == both.max());
    for (const double q : {0.01, 0.5, 0.9, 0.99, 0.9999})
        CHECK(left.at(q) == both.at(q));
}
