#include "load/rush.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <sstream>

#include "fake_shop.hpp"
#include "shop_record.hpp"

using namespace flashsale::bench;
using flashsale::test::fake_shop;
using flashsale::test::lies;

namespace {

struct outcome_of_rush {
    int exit_code;
    boost::json::object figures;
    std::string report;

    std::int64_t operator[](const char* name) const {
        return figures.at(name).to_number<std::int64_t>();
    }
};

rush_options small_rush(std::uint16_t port) {
    rush_options options;
    options.load.targets = {*parse_target("http://127.0.0.1:" + std::to_string(port))};
    options.load.connections = 16;
    options.stock = 50;
    options.users = 200;
    options.requests = 400;
    options.storing_max = std::chrono::milliseconds{800};
    return options;
}

outcome_of_rush rush(const lies& told, const std::function<void(rush_options&)>& change = {}) {
    fake_shop shop{told};
    shop_record databases{shop};
    auto options = small_rush(shop.port());
    if (change) change(options);
    std::ostringstream out;
    std::ostringstream complaints;
    const int code = run_rush(options, databases, out, complaints);
    const auto text = out.str();
    INFO(complaints.str());
    REQUIRE_FALSE(text.empty());
    const auto line = text.rfind('\n', text.size() - 2) + 1;
    return {code, boost::json::parse(text.substr(line)).as_object(), text};
}

}  // namespace

TEST_CASE("rush: an honest shop") {
    const auto found = rush({});
    INFO(found.report);
    CHECK(found.exit_code == exit_holds);
    CHECK(found["stock"] == 50);
    CHECK(found["requests"] == 400);
    CHECK(found["accepted"] == 50);
    CHECK(found["refused"] == 350);
    CHECK(found["unknown"] == 0);
    CHECK(found["stored"] == 50);
    for (const char* none :
         {"oversold", "lost", "duplicated", "phantom", "limit_exceeded", "unsold"}) {
        CHECK(found[none] == 0);
    }
    CHECK(found.figures.at("seconds").to_number<double>() > 0);
    std::int64_t refused = 0;
    for (const auto& each : found.figures.at("refused_by_code").as_object()) {
        refused += each.value().to_number<std::int64_t>();
    }
    CHECK(refused == 350);
}

TEST_CASE("rush: several products, no limit, more units than the crowd asks for") {
    const auto found = rush({}, [](rush_options& options) {
        options.products = 7;
        options.stock = 1'000;
        options.per_user_limit = 0;
        options.json_only = true;
    });
    CHECK(found.exit_code == exit_holds);
    CHECK(found["accepted"] == 400);
    CHECK(found.report.find('\n') == found.report.size() - 1);
}

TEST_CASE("rush: a shop that lies is found out") {
    SECTION("accepts one order too many") {
        const auto found = rush({.oversell = 1});
        CHECK(found.exit_code == exit_sums_fail);
        CHECK(found["oversold"] == 1);
    }
    SECTION("loses an order") {
        const auto found = rush({.lose = 1});
        CHECK(found.exit_code == exit_sums_fail);
        CHECK(found["lost"] == 1);
        CHECK(found["stored"] == 49);
    }
    SECTION("loses a movement") {
        const auto found = rush({.lose_movement = 1});
        CHECK(found.exit_code == exit_sums_fail);
        CHECK(found["lost"] == 1);
    }
    SECTION("stores an order twice") {
        const auto found = rush({.duplicate = 1});
        CHECK(found.exit_code == exit_sums_fail);
        CHECK(found["duplicated"] == 1);
    }
    SECTION("stores what it refused") {
        const auto found = rush({.invent = 1});
        CHECK(found.exit_code == exit_sums_fail);
        CHECK(found["phantom"] == 1);
    }
    SECTION("stores another quantity") {
        const auto found = rush({.alter = 1});
        CHECK(found.exit_code == exit_sums_fail);
        CHECK(found["lost"] == 1);
    }
    SECTION("forgets the limit") {
        const auto found = rush({.forget_limit = true}, [](auto& options) { options.users = 10; });
        CHECK(found.exit_code == exit_sums_fail);
        CHECK(found["limit_exceeded"] == 40);
    }
}

TEST_CASE("rush: a lost answer is asked for again with the same key") {
    const auto found = rush({.hang_up_every = 7, .doubt_every = 5});
    INFO(found.report);
    CHECK(found.exit_code == exit_holds);
    CHECK(found["accepted"] == 50);
    CHECK(found["unknown"] == 0);
    CHECK(found["stored"] == 50);
    CHECK(found["replayed"] > 10);
    CHECK(found["broken_tries"] == 7);
}

TEST_CASE("rush: without retries a lost answer is unknown, and what was stored no phantom") {
    const auto once = [](rush_options& options) { options.load.retries = 0; };
    const auto found = rush({.hang_up_every = 10}, once);
    INFO(found.report);
    CHECK(found.exit_code == exit_sums_fail);
    CHECK(found["unknown"] == 5);
    CHECK(found["accepted"] == 45);
    CHECK(found["stored"] == 50);
    CHECK(found["phantom"] == 0);
    const auto tolerant = rush({.hang_up_every = 10}, [&](rush_options& options) {
        once(options);
        options.allow_unknown = options.allow_unsold = true;
    });
    CHECK(tolerant.exit_code == exit_holds);
}

TEST_CASE("rush: a late answer counts as none after the deadline") {
    const auto found =
        rush({.late_every = 50, .late = std::chrono::seconds{60}},
             [](rush_options& options) { options.load.answer_timeout = std::chrono::seconds{2}; });
    INFO(found.report);
    CHECK(found["broken_tries"] > 0);
    CHECK(found["unknown"] == 0);
    CHECK(found.exit_code == exit_holds);
}

TEST_CASE("rush: nobody there") {
    std::uint16_t port = 0;
    {
        fake_shop gone;
        port = gone.port();
    }
    fake_shop shop;
    shop_record databases{shop};
    std::ostringstream out;
    std::ostringstream complaints;
    CHECK(run_rush(small_rush(port), databases, out, complaints) == exit_unreachable);
    CHECK_THAT(complaints.str(), Catch::Contains("script/server"));
    CHECK(out.str().empty());
}
