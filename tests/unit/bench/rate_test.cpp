#include "load/rate.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <sstream>

#include "fake_shop.hpp"
#include "shop_record.hpp"

using namespace flashsale::bench;
using flashsale::test::fake_shop;
using flashsale::test::lies;
using std::chrono::milliseconds;

namespace {

struct outcome_of_rate {
    int exit_code;
    boost::json::object figures;
    std::string text;

    double accepted_ms(const char* quantile) const {
        return figures.at("accepted_latency_ms").at(quantile).to_number<double>();
    }
};

outcome_of_rate rate(const lies& told, double per_second, std::size_t connections,
                     unsigned refused_percent = 0) {
    fake_shop shop{told};
    shop_record databases{shop};
    rate_options options;
    options.loop.load.targets = {*parse_target("http://127.0.0.1:" + std::to_string(shop.port()))};
    options.loop.load.connections = connections;
    options.loop.per_second = per_second;
    options.loop.warm_up = milliseconds{100};
    options.loop.length = milliseconds{2'000};
    options.refused_percent = refused_percent;
    options.users = 20;
    options.lag_p99_max = std::chrono::hours{1};  // tests run on busy machines
    options.storing_max = milliseconds{800};
    std::ostringstream out;
    std::ostringstream complaints;
    const int code = run_rate(options, databases, out, complaints);
    const auto text = out.str();
    INFO(complaints.str());
    if (text.empty()) return {code, {}, complaints.str()};
    const auto line = text.rfind('\n', text.size() - 2) + 1;
    return {code, boost::json::parse(text.substr(line)).as_object(), text};
}

}  // namespace

TEST_CASE("rate: a tenth of the answers late by 100 ms shows in p90 and p99") {
    // Two connections: what is due while both wait for a late answer waits too. A closed loop
    // would send nothing meanwhile, and find every tenth request slow instead of most.
    const auto found = rate({.late_every = 10, .late = milliseconds{100}}, 120, 2);
    INFO(found.text);
    REQUIRE(found.exit_code == exit_holds);
    CHECK(found.accepted_ms("p90") >= 100);
    CHECK(found.accepted_ms("p99") >= 100);
}

TEST_CASE("rate: with room on other connections nobody else waits") {
    // Late by more than a busy machine makes the others.
    const auto found = rate({.late_every = 20, .late = milliseconds{3'000}}, 200, 64);
    INFO(found.text);
    REQUIRE(found.exit_code == exit_holds);
    CHECK(found.accepted_ms("p50") < 3'000);
    CHECK(found.accepted_ms("p99") >= 3'000);
}

TEST_CASE("rate: as many as the rate and the time say, accepted and refused") {
    const auto found = rate({}, 500, 16, 30);
    INFO(found.text);
    REQUIRE(found.exit_code != exit_unreachable);
    CHECK(found.figures.at("counted").to_number<double>() == Approx(1'000).margin(2));
    const auto refused = found.figures.at("refused").to_number<double>();
    CHECK(refused == Approx(300).margin(40));
    CHECK(found.figures.at("accepted").to_number<double>() == Approx(1'000 - refused).margin(40));
}

TEST_CASE("rate: a shop that lies is found out, and no speed is told") {
    for (const lies& told : {lies{.lose = 1}, lies{.oversell = 1}, lies{.duplicate = 1}}) {
        const auto found = rate(told, 300, 16, 50);
        CHECK(found.exit_code == exit_sums_fail);
        CHECK_THAT(found.text, Catch::Contains("do not hold"));
        CHECK(found.figures.empty());
    }
}

TEST_CASE("rate: a late generator is said to be late") {
    histogram lag;
    for (int i = 0; i < 990; ++i)
        lag.record(10'000);
    CHECK(lateness(lag) == "");
    for (int i = 0; i < 20; ++i)
        lag.record(50'000'000);
    CHECK_THAT(lateness(lag), Catch::Contains("late") && Catch::Contains("50.0 ms"));
}

TEST_CASE("rate: nobody there") {
    std::uint16_t port = 0;
    {
        fake_shop gone;
        port = gone.port();
    }
    fake_shop shop;
    shop_record databases{shop};
    rate_options options;
    options.loop.load.targets = {*parse_target("http://127.0.0.1:" + std::to_string(port))};
    std::ostringstream out;
    std::ostringstream complaints;
    CHECK(run_rate(options, databases, out, complaints) == exit_unreachable);
    CHECK(out.str().empty());
}
