#include <catch2/catch.hpp>
#include <set>

#include "load/order_traffic.hpp"

using namespace flashsale::bench;

namespace {

sale_plan plan(std::size_t users, std::size_t requests, std::vector<sold_product> products) {
    sale_plan made{.users = {}, .products = std::move(products), .requests = requests, .run = "r"};
    for (std::size_t i = 0; i < users; ++i)
        made.users.push_back(static_cast<std::int64_t>(i) + 1);
    return made;
}

/// What sellable() says, counted request by request.
std::int64_t counted(const sale_plan& plan) {
    std::map<std::pair<std::size_t, std::size_t>, std::int64_t> tries;
    for (std::size_t i = 0; i < plan.requests; ++i)
        ++tries[{plan.product_of(i), plan.user_of(i)}];
    std::vector<std::int64_t> demand(plan.products.size());
    for (const auto& [who, n] : tries) {
        demand[who.first] += std::min(n, plan.products[who.first].per_user_limit.value_or(n));
    }
    std::int64_t units = 0;
    for (std::size_t i = 0; i < demand.size(); ++i) {
        units += std::min(demand[i], plan.products[i].supplied);
    }
    return units;
}

}  // namespace

TEST_CASE("sale plan: what a crowd must get") {
    CHECK(plan(10'000, 20'000, {{1, 1'000, 1}}).sellable() == 1'000);
    CHECK(plan(10, 50, {{1, 1'000, 1}}).sellable() == 10);
    CHECK(plan(10, 50, {{1, 1'000, {}}}).sellable() == 50);
    CHECK(plan(10, 50, {{1, 1'000, 3}}).sellable() == 30);
    CHECK(plan(10, 5, {{1, 1'000, 3}}).sellable() == 5);
    CHECK(plan(10, 50, {{1, 0, 1}}).sellable() == 0);
    for (const std::size_t users : {1u, 3u, 10u}) {
        for (const std::size_t requests : {1u, 7u, 23u, 60u}) {
            for (const std::size_t products : {1u, 2u, 5u, 13u}) {
                std::vector<sold_product> wares;
                for (std::size_t i = 0; i < products; ++i) {
                    wares.push_back(
                        {static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(3 + i % 4),
                         i % 3 == 0 ? std::nullopt : std::optional<std::int64_t>{i % 3}});
                }
                const auto made = plan(users, requests, wares);
                CAPTURE(users, requests, products);
                CHECK(made.sellable() == counted(made));
            }
        }
    }
}

TEST_CASE("order traffic: every request once, in an order that the seed decides") {
    auto first = plan(7, 100, {{1, 10, 1}});
    first.seed = 3;
    const auto sequence = [](sale_plan of) {
        order_traffic orders{std::move(of)};
        std::vector<std::size_t> all;
        while (const auto number = orders.next())
            all.push_back(*number);
        return all;
    };
    const auto numbers = sequence(first);
    CHECK(std::set(numbers.begin(), numbers.end()).size() == 100);
    CHECK(*std::ranges::max_element(numbers) == 99);
    CHECK(numbers == sequence(first));
    auto second = first;
    second.seed = 4;
    CHECK(numbers != sequence(second));
}

TEST_CASE("order traffic: a request has a key of its own, and is the same each time") {
    const order_traffic orders{plan(7, 100, {{42, 10, 1}})};
    std::string one;
    std::string again;
    orders.render(8, "h:1", one);
    orders.render(8, "h:1", again);
    CHECK(one == again);
    CHECK(one ==
          "POST /v1/orders HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/json\r\n"
          "Idempotency-Key: r-8\r\nContent-Length: 42\r\n\r\n"
          R"({"user_id":2,"product_id":42,"quantity":1})");
}

TEST_CASE("order traffic: outcomes are counted for what they are") {
    order_traffic orders{plan(2, 10, {{42, 10, 1}})};
    const auto body = [](int user, int quantity) {
        return R"({"id":"01890000-0000-7000-8000-000000000001","user_id":)" + std::to_string(user) +
               R"(,"product_id":42,"quantity":)" + std::to_string(quantity) + "}";
    };
    const auto good = body(1, 1);
    const auto other = body(2, 1);
    orders.done(0, {.what = verdict::accepted, .status = 201, .body = good});
    orders.done(2, {.what = verdict::accepted, .status = 201, .body = other});
    orders.done(4, {.what = verdict::accepted, .status = 201, .body = "{}"});
    orders.done(6, {.what = verdict::refused, .status = 400, .code = "out_of_stock"});
    orders.done(8, {.what = verdict::refused,
                    .status = 400,
                    .code = "out_of_stock",
                    .maybe_accepted = true,
                    .tries = 2});
    orders.done(1, {.what = verdict::unknown, .code = "no_connection"});
    orders.done(3, {.what = verdict::unknown, .code = "no_answer", .maybe_accepted = true});
    const auto& totals = orders.totals();
    CHECK(totals.accepted == 2);
    CHECK(totals.refused == 2);
    CHECK(totals.unknown == 3);
    CHECK(totals.retried == 1);
    CHECK(totals.refused_by_code.at({400, "out_of_stock"}) == 2);
    const auto known = orders.known();
    REQUIRE(known.accepted.size() == 2);
    CHECK(known.accepted[0].echoed);
    CHECK(known.accepted[0].wanted.key == "r-0");
    CHECK_FALSE(known.accepted[1].echoed);
    REQUIRE(known.unsure.size() == 3);  // 4, 8 and 3: not 1, which was never sent
    CHECK(known.unsure[1].key == "r-8");
}
