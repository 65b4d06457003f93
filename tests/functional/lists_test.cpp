// Lists of orders: what is in them, and up to when they say that they are complete.

#include <flashsale/base/time.hpp>

#include <set>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale;
using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> ids_in(const http_response& list) {
    std::vector<std::string> out;
    const auto body = list.json();
    for (const auto& one : body.at("items").as_array())
        out.emplace_back(one.at("id").as_string());
    return out;
}

std::optional<timestamp> complete_until(const http_response& list) {
    const auto body = list.json();
    const auto& said = body.at("complete_until");
    if (said.is_null()) return std::nullopt;
    return parse_rfc3339(std::string(said.as_string()));
}

std::string user_list(std::int64_t user) {
    return "/v1/users/" + std::to_string(user) + "/orders";
}

std::string product_list(std::int64_t product) {
    return "/v1/products/" + std::to_string(product) + "/orders";
}

/// Reads on from `cursor` until a page is empty.
std::vector<std::string> follow(http_client& client, std::int64_t product, std::string& cursor) {
    std::vector<std::string> out;
    while (true) {
        const auto page = client.get(product_list(product) + "?limit=7" +
                                     (cursor.empty() ? "" : "&cursor=" + cursor));
        REQUIRE(page.status == 200);
        const auto ids = ids_in(page);
        CHECK(ids.size() <= 7);
        out.insert(out.end(), ids.begin(), ids.end());
        const auto body = page.json();
        if (const auto* next = body.at("next_cursor").if_string()) cursor = std::string(*next);
        if (ids.empty()) return out;
    }
}

}  // namespace

TEST_CASE("lists: an order is in its user's list right after its 201") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto product = make_product(client, 1'000);
    const auto user = make_user(client, "u");
    for (std::size_t i = 1; i <= 50; ++i) {
        const auto placed = place_order(client, user, product, 1);
        REQUIRE(outcome(placed) == "201");
        const auto created =
            parse_rfc3339(std::string(placed.json().at("created_at").as_string())).value();
        // On a busy machine it may be an older reading of the outbox, which says so.
        http_response list;
        std::optional<timestamp> until;
        REQUIRE(eventually(60s, [&] {
            list = client.get(user_list(user) + "?limit=1");
            until = complete_until(list);
            return until && *until >= created;
        }));
        CHECK(ids_in(list) == std::vector{order_id(placed)});
        CHECK(*until <= wall_clock_now() + 1ms);
    }
    std::string cursor;
    std::set<std::string> all;
    do {
        const auto page = client.get(user_list(user) + "?limit=20" + cursor);
        for (const auto& id : ids_in(page))
            CHECK(all.insert(id).second);
        const auto body = page.json();
        const auto* next = body.at("next_cursor").if_string();
        cursor = next ? "&cursor=" + std::string(*next) : "";
    } while (!cursor.empty());
    CHECK(all.size() == 50);
}

TEST_CASE("lists: with nobody recording they are complete, and a product's says that it is not") {
    const sandbox world({{"FLASHSALE_RECORDER__ENABLED", "false"}});
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 3'000), other = make_product(client, 10);
    std::vector<std::string> placed;
    for (int i = 0; i < 5; ++i) {
        placed.insert(placed.begin(), order_id(place_order(client, user, product, 1)));
        std::this_thread::sleep_for(2ms);
    }
    CHECK(ids_in(client.get(user_list(user))) == placed);
    CHECK(ids_in(client.get(user_list(user) + "?limit=2")) ==
          std::vector(placed.begin(), placed.begin() + 2));
    CHECK(ids_in(client.get(user_list(user) + "?limit=2&cursor=" + placed[1])) ==
          std::vector(placed.begin() + 2, placed.begin() + 4));

    const auto oldest = client.get("/v1/orders/" + placed.back()).json();
    const auto waits = client.get(product_list(product));
    CHECK(ids_in(waits).empty());
    CHECK(waits.json().at("next_cursor").is_null());
    CHECK(complete_until(waits) == parse_rfc3339(std::string(oldest.at("created_at").as_string())));
    CHECK(complete_until(client.get(product_list(other))).value() > complete_until(waits).value());

    const flashsale_process writer(world, {{"FLASHSALE_RECORDER__ENABLED", "true"}});
    REQUIRE(audit_fault(world) == "");
    const auto there = client.get(product_list(product));
    CHECK(std::ranges::is_permutation(ids_in(there), placed));
    CHECK(complete_until(there).value() > complete_until(waits).value());
    CHECK(ids_in(client.get(user_list(user))) == placed);
}

TEST_CASE("lists: whoever follows a product's orders misses none and sees none twice") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto product = make_product(client, 100'000);
    const auto other = make_product(client, 100'000);
    CHECK(outcome(client.get(product_list(other + 1'000))) == "404 product_not_found");
    CHECK(outcome(client.get(product_list(product) + "?cursor=x")) == "400 bad_request");
    CHECK(outcome(client.get(product_list(product) + "?cursor=0")) == "400 bad_request");

    std::string cursor;
    std::vector<std::string> seen = follow(client, product, cursor);
    CHECK(seen.empty());
    std::set<std::string> accepted;
    {
        const auto users = make_users(client, 400);
        order_load load(shop, users, product);
        order_load beside(shop, {users.begin(), users.begin() + 100}, other, 1);
        while (load.answered() < 400) {
            for (const auto& id : follow(client, product, cursor))
                seen.push_back(id);
        }
        for (const auto& one : load.stop()) {
            if (one.answer && one.answer->status == 201) accepted.insert(order_id(*one.answer));
        }
        beside.stop();
    }
    REQUIRE(audit_fault(world) == "");
    for (const auto& id : follow(client, product, cursor))
        seen.push_back(id);
    CHECK(follow(client, product, cursor).empty());
    CHECK(std::set(seen.begin(), seen.end()).size() == seen.size());
    CHECK(std::set(seen.begin(), seen.end()) == accepted);
}

TEST_CASE("lists: a gate that cannot be read leaves the record, and says up to when no more") {
    const sandbox world;
    flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    const auto placed = place_order(client, user, product, 1);
    REQUIRE(outcome(placed) == "201");
    REQUIRE(audit_fault(world) == "");
    shop.kill();
    // A process that has never read it, and does not mend it.
    const flashsale_process blind(world, {{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "60000"}});
    stack::redis_cli({"HSET", "{" + world.name() + ":0}:gate", "state", "closed"});
    auto late = blind.client();
    const auto list = late.get(user_list(user));
    CHECK(ids_in(list) == std::vector{order_id(placed)});
    CHECK_FALSE(complete_until(list).has_value());
    const auto of_product = late.get(product_list(product));
    CHECK(ids_in(of_product) == std::vector{order_id(placed)});
    CHECK_FALSE(complete_until(of_product).has_value());
}
