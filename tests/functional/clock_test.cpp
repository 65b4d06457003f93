// Whatever a process's clock says: the gate's counts. And a sale has two ends.

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <flashsale/base/time.hpp>
#include <flashsale/base/uuid.hpp>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale;
using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

/// An hour behind, or half the time that the machine is up: libfaketime moves a timer that is due
/// at once by the same time, and one that is then due after the boot does not come.
std::string behind() {
    double up = 0;
    std::ifstream("/proc/uptime") >> up;
    return "-" + std::to_string(std::min(3'600, static_cast<int>(up / 2)));
}

/// The environment of a process whose clock is wrong.
environment with_clock(const std::string& wrong) {
    for (const auto& one : std::filesystem::directory_iterator("/usr/lib")) {
        const auto library = one.path() / "faketime" / "libfaketimeMT.so.1";
        if (std::filesystem::exists(library)) {
            return {{"LD_PRELOAD", library.string()},
                    {"FAKETIME", wrong},
                    {"FAKETIME_DONT_FAKE_MONOTONIC", "1"}};
        }
    }
    throw std::runtime_error("libfaketime is not installed: script/bootstrap --stack");
}

std::int64_t make_sale(http_client& client, std::optional<timestamp> starts,
                       std::optional<timestamp> ends) {
    json::object what{{"name", "Lamp"}, {"price", 1'999}, {"stock", 10}};
    if (starts) what["sale_starts_at"] = to_rfc3339(*starts);
    if (ends) what["sale_ends_at"] = to_rfc3339(*ends);
    const auto made = client.post("/v1/products", json::value(what));
    REQUIRE(outcome(made) == "201");
    return made.json().at("id").as_int64();
}

timestamp time_in(const json::value& from, std::string_view name) {
    return parse_rfc3339(std::string(from.at(name).as_string())).value();
}

}  // namespace

TEST_CASE("clock: an instance an hour behind or ahead dates no order but by the gate's clock") {
    const auto wrong = GENERATE(as<std::string>{}, behind(), "+1h");
    const std::string gate = GENERATE(as<std::string>{}, "redis", "database");
    const sandbox world(with_gate(gate));
    const flashsale_process shop(world, with_clock(wrong));
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto starts = wall_clock_now() - 1s;
    const auto product = make_sale(client, starts, wall_clock_now() + 10min);

    const auto placed = place_order(client, user, product, 1, "key");
    REQUIRE(outcome(placed) == "201");
    const auto until = wall_clock_now() + 1ms;
    const auto created = time_in(placed.json(), "created_at");
    CHECK(created >= starts);
    CHECK(created <= until);
    const auto id = uuid::parse(order_id(placed));
    REQUIRE(id.has_value());
    CHECK(id->time() == created);

    // The same at once, again, and from the record.
    CHECK(is_shown(client, placed));
    const auto again = place_order(client, user, product, 1, "key");
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(again.json() == placed.json());
    CHECK(audit_fault(world) == "");
    CHECK(is_shown(client, placed));
    CHECK(world.number(sandbox::database::order,
                       "SELECT count(*) FROM orders WHERE created_at BETWEEN now() - interval "
                       "'20 minutes' AND now()") == 1);

    // An order by hand, too.
    const auto reduced = client.post("/v1/products/" + std::to_string(product) + "/reduce-stock",
                                     R"({"quantity":1})");
    REQUIRE(outcome(reduced) == "200");
    CHECK(time_in(reduced.json(), "created_at") >= starts);
    CHECK(time_in(reduced.json(), "created_at") <= wall_clock_now() + 1ms);
}

TEST_CASE("clock: orders of two instances whose clocks differ come in the order of the decisions") {
    const sandbox world;
    const flashsale_process late(world, with_clock(behind())), ahead(world, with_clock("+1h"));
    auto first = ahead.client(), second = late.client();
    const auto user = make_user(first, "u");
    const auto product = make_product(first, 10);
    std::vector<std::string> ids;
    for (int i = 0; i < 6; ++i) {
        const auto placed = place_order(i % 2 == 0 ? first : second, user, product, 1);
        REQUIRE(outcome(placed) == "201");
        ids.insert(ids.begin(), order_id(placed));
        std::this_thread::sleep_for(2ms);  // within one millisecond there is no order
    }
    REQUIRE(audit_fault(world) == "");
    std::vector<std::string> listed;
    const auto list = second.get("/v1/users/" + std::to_string(user) + "/orders").json();
    for (const auto& one : list.at("items").as_array())
        listed.emplace_back(one.at("id").as_string());
    CHECK(listed == ids);
}

TEST_CASE("clock: a closed sale says whether it is still to come, and when, or over") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto starts = wall_clock_now() + 1h + 30min;
    const auto later = make_sale(client, starts, std::nullopt);
    const auto soon = make_sale(client, wall_clock_now() + 30min, std::nullopt);
    const auto passing = make_sale(client, std::nullopt, wall_clock_now() + 2s);
    const auto early = place_order(client, user, later, 1);
    CHECK(outcome(early) == "409 sale_not_open");
    CHECK(early.json().at("sale") == "not_yet");
    CHECK(time_in(early.json(), "sale_starts_at") == starts);
    CHECK(early.header("retry-after") == "3600");  // it may be days: never longer than an hour
    const auto wait = std::stoi(place_order(client, user, soon, 1).header("retry-after"));
    CHECK(wait <= 30 * 60 + 1);  // whole seconds, and never too early
    CHECK(wait > 20 * 60);

    http_response over;
    CHECK(eventually(60s, [&] {
        over = place_order(client, user, passing, 1);
        return over.status == 409;
    }));
    CHECK(outcome(over) == "409 sale_not_open");
    CHECK(over.json().at("sale") == "over");
    CHECK_FALSE(over.json().as_object().contains("sale_starts_at"));
    CHECK(over.header("retry-after").empty());
}

TEST_CASE("clock: a sale that is over is not made, and one that was made keeps its key") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const json::value what{{"name", "Lamp"},
                           {"price", 1'999},
                           {"stock", 10},
                           {"sale_ends_at", to_rfc3339(wall_clock_now() + 3s)}};
    const auto make = [&](const std::string& key) {
        return client.post("/v1/products", what, {{"Idempotency-Key", key}});
    };
    const auto made = make("first");
    REQUIRE(outcome(made) == "201");
    http_response late;
    std::size_t tries = 0;
    CHECK(eventually(60s, [&] {
        late = make("late-" + std::to_string(tries++));
        return late.status != 201;
    }));
    CHECK(outcome(late) == "400 bad_request");
    CHECK(late.json().at("field") == "sale_ends_at");
    CHECK(world.number(sandbox::database::stock, "SELECT count(*) FROM products") ==
          static_cast<std::int64_t>(tries));
    const auto again = make("first");
    CHECK(outcome(again) == "201");
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(again.json().at("id") == made.json().at("id"));
}
