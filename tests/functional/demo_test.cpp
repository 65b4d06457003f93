// The sale of script/demo, in full, as a test.

#include <catch2/catch.hpp>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;

namespace {

json::value rush(const sandbox& world, const std::vector<std::string>& urls) {
    std::vector<std::string> all{bench_binary(),  "rush",  "--config", world.config_file(),
                                 "--stock",       "1000",  "--users",  "10000",
                                 "--requests",    "20000", "--limit",  "1",
                                 "--connections", "64"};
    for (const auto& url : urls) {
        all.push_back("--url");
        all.push_back(url);
    }
    const auto done = run(all, world.variables(), std::chrono::seconds{300});
    if (done.exit_code != 0) throw std::runtime_error(done.output);
    return json::parse(done.last_line());
}

void check_sale(const sandbox& world, const json::value& report) {
    const auto number = [&](const char* name) { return report.at(name).as_int64(); };
    CHECK(number("accepted") == 1'000);
    CHECK(number("stored") == 1'000);
    CHECK(number("refused") == 19'000);
    CHECK(number("unknown") == 0);
    CHECK(number("oversold") == 0);
    CHECK(number("lost") == 0);
    CHECK(number("duplicated") == 0);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 1'000);
    CHECK(world.number(sandbox::database::order, "SELECT count(DISTINCT user_id) FROM orders") ==
          1'000);
    CHECK(world.number(sandbox::database::stock, "SELECT stock FROM products") == 0);
}

}  // namespace

TEST_CASE("the demo: 1,000 units, 10,000 users, 20,000 requests") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    check_sale(world, rush(world, {shop.url()}));
}

TEST_CASE("the demo with two processes on one stack") {
    const sandbox world;
    const flashsale_process first(world), second(world);
    check_sale(world, rush(world, {first.url(), second.url()}));
}
