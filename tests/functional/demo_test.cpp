// The sales of script/demo as tests: units sold outright in full, held orders with fewer.

#include <catch2/catch.hpp>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;

namespace {

json::value sell(std::vector<std::string> command, const sandbox& world,
                 const std::vector<std::string>& urls) {
    command.insert(command.begin(), bench_binary());
    command.insert(command.end(), {"--config", world.config_file()});
    for (const auto& url : urls)
        command.insert(command.end(), {"--url", url});
    const auto done = run(command, world.variables(), std::chrono::seconds{300});
    if (done.exit_code != 0) throw std::runtime_error(done.output);
    return json::parse(done.last_line());
}

json::value rush(const sandbox& world, const std::vector<std::string>& urls) {
    return sell({"rush", "--stock", "1000", "--users", "10000", "--requests", "20000", "--limit",
                 "1", "--connections", "64"},
                world, urls);
}

json::value holds(const sandbox& world, const std::vector<std::string>& urls) {
    return sell({"holds", "--stock", "100", "--users", "600", "--limit", "1", "--connections", "8",
                 "--payment-window-s", "2", "--selling-max-s", "200"},
                world, urls);
}

void check_holds(const sandbox& world, const json::value& report) {
    using database = sandbox::database;
    const auto number = [&](const char* name) { return report.at(name).as_int64(); };
    const auto granted = number("granted");
    CHECK(number("paid") == 100);
    CHECK(number("cancelled") > 30);
    CHECK(number("expired") > 30);
    CHECK(number("cancelled") + number("expired") == granted - 100);
    CHECK(number("returned") == granted - 100);
    CHECK(number("held_at_once") == 100);
    CHECK(number("oversold") == 0);
    CHECK(number("lost") == 0);
    CHECK(number("unknown") == 0);
    CHECK(audit_fault(world) == "");
    CHECK(world.number(database::order, "SELECT count(*) FROM orders") == granted);
    CHECK(world.number(database::order,
                       "SELECT count(*) FROM orders WHERE order_status = 'PAID'") == 100);
    CHECK(world.number(database::stock, "SELECT stock FROM products") == 0);
    CHECK(world.number(database::stock, "SELECT count(*) FROM movements WHERE kind = 'return'") ==
          granted - 100);
    // 600 users began with what all 100 units cost, at 100 each.
    CHECK(world.number(database::user, "SELECT CAST(sum(balance) AS bigint) FROM users") ==
          600 * 10'000 - 100 * 100);
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

TEST_CASE("the demo of held orders: 100 units, sold until all are paid for") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    check_holds(world, holds(world, {shop.url()}));
}

TEST_CASE("the demo of held orders with two processes on one stack") {
    const sandbox world;
    const flashsale_process first(world), second(world);
    check_holds(world, holds(world, {first.url(), second.url()}));
}

TEST_CASE("the demo of held orders: a return that is lost is found") {
    const sandbox world(composition::embedded);
    const flashsale_process shop(world);
    world.sql(sandbox::database::stock,
              "CREATE TRIGGER lose AFTER INSERT ON movements WHEN NEW.kind = 'return' "
              "AND (SELECT count(*) FROM movements WHERE kind = 'return') = 1 "
              "BEGIN DELETE FROM movements WHERE id = NEW.id AND back; END");
    const auto done = run({bench_binary(), "holds", "--config", world.config_file(), "--url",
                           shop.url(), "--stock", "10", "--users", "60", "--connections", "4",
                           "--payment-window-s", "1", "--storing-max-s", "3"},
                          world.variables(), std::chrono::seconds{200});
    INFO(done.output);
    CHECK(done.exit_code == 1);
    CHECK(json::parse(done.last_line()).at("unreturned").as_int64() >= 1);
}

TEST_CASE("the demo of held orders: units that are held for too long end it") {
    const sandbox world(composition::embedded);
    const flashsale_process shop(world);
    const auto done =
        run({bench_binary(), "holds", "--config", world.config_file(), "--url", shop.url(),
             "--stock", "10", "--users", "60", "--connections", "4", "--payment-window-s", "600",
             "--selling-max-s", "1", "--storing-max-s", "1"},
            world.variables(), std::chrono::seconds{200});
    INFO(done.output);
    CHECK(done.exit_code == 1);
    CHECK_THAT(done.output, Catch::Contains("of 10 units only"));
    const auto report = json::parse(done.last_line());
    CHECK_FALSE(report.at("holds").as_bool());
    CHECK(report.at("paid").as_int64() < 10);
    CHECK(report.at("oversold").as_int64() == 0);
}
