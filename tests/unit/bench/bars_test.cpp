#include "report/bars.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::bench;

namespace {

bar make(bar::rule must_be, double threshold, std::vector<double> measured,
         std::vector<double> limit) {
    bar row{.name = "n", .what = "a row", .unit = "/s", .limit_name = "its limit"};
    row.must_be = must_be;
    row.threshold = threshold;
    row.measured = std::move(measured);
    row.limit = std::move(limit);
    return row;
}

}  // namespace

TEST_CASE("median") {
    CHECK(median({}) == 0);
    CHECK(median({7}) == 7);
    CHECK(median({9, 1, 5}) == 5);
    CHECK(median({4, 1, 3, 2}) == 2.5);
}

TEST_CASE("bars: the ratio of the medians decides, one bad round does not") {
    const auto row =
        make(bar::rule::at_least, 0.4, {400, 20, 410, 420, 390}, {1'000, 990, 1'010, 5, 1'000});
    CHECK(row.ratio() == Approx(0.4));
    CHECK(row.holds());
    CHECK_FALSE(make(bar::rule::at_least, 0.41, {400}, {1'000}).holds());
    CHECK(make(bar::rule::at_most, 5, {10}, {2}).holds());
    CHECK_FALSE(make(bar::rule::at_most, 5, {10.1}, {2}).holds());
}

TEST_CASE("bars: what was not measured does not hold") {
    CHECK_FALSE(make(bar::rule::at_most, 5, {}, {2}).holds());
    CHECK_FALSE(make(bar::rule::at_most, 5, {1}, {}).holds());
    CHECK_FALSE(make(bar::rule::at_most, 5, {1}, {0}).holds());
    auto late = make(bar::rule::at_most, 5, {1}, {2});
    CHECK(late.holds());
    late.refusals.push_back("the generator itself was late");
    CHECK_FALSE(late.holds());
    CHECK_THAT(bars_table({late}), Catch::Contains("the generator itself was late"));
}

TEST_CASE("bars: a threshold may be of what was measured, whatever the ratio says") {
    auto row = make(bar::rule::at_least, 5'000, {5'000}, {80'000});
    CHECK_FALSE(row.holds());
    row.of_measured = true;
    CHECK(row.holds());
    row.measured = {4'999};
    CHECK_FALSE(row.holds());
    CHECK(bars_json({row}).at(0).at("threshold_of") == "measured");
}

TEST_CASE("bars: the table and the JSON say the same") {
    const auto good = make(bar::rule::at_least, 0.4, {500}, {1'000});
    const auto bad = make(bar::rule::at_least, 0.9, {500}, {1'000});
    const auto table = bars_table({good, bad});
    CHECK_THAT(table, Catch::Contains("a row"));
    CHECK_THAT(table, Catch::Contains(">= 0.40  holds its limit"));
    CHECK_THAT(table, Catch::Contains(">= 0.90  NOT   its limit"));
    CHECK(all_hold({good}));
    CHECK_FALSE(all_hold({good, bad}));
    const auto json = bars_json({good, bad});
    CHECK(json.at(0).at("holds").as_bool());
    CHECK_FALSE(json.at(1).at("holds").as_bool());
    CHECK(json.at(0).at("ratio").as_double() == Approx(0.5));
}

TEST_CASE("bars: the costs are those of the median round") {
    auto row = make(bar::rule::at_least, 0.4, {300, 500, 400}, {1'000});
    CHECK(row.median_costs() == nullptr);
    row.costs = {{{"server", 3}}, {{"server", 5}}, {{"server", 4}}};
    REQUIRE(row.median_costs() != nullptr);
    CHECK(row.median_costs()->front().us_per_order == 4);
    CHECK_THAT(costs_table({row}), Catch::Contains("server 4.0"));
}

TEST_CASE("bars: CPU of each process for each order") {
    const auto costs = costs_of({{"server", 0.5}, {"redis", 0.25}}, 50'000);
    REQUIRE(costs.size() == 2);
    CHECK(costs[0].process == "server");
    CHECK(costs[0].us_per_order == Approx(10));
    CHECK(costs[1].us_per_order == Approx(5));
    CHECK(costs_of({{"server", 0.5}}, 0).empty());
}
