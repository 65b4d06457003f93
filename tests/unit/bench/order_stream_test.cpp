#include "load/order_stream.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::bench;

namespace {

constexpr const char* first_id = "01890a5d-ac96-7000-bcce-b302099a8057";
constexpr const char* other_id = "01890a5d-ac96-7000-bcce-b302099a8058";

const std::vector<std::int64_t> users{11, 12, 13};

std::string rendered(const order_stream& orders, std::size_t number) {
    std::string out;
    orders.render(number, "h:1", out);
    return out;
}

std::string body(const char* id, std::int64_t user, std::int64_t product) {
    return std::string{R"({"id":")"} + id + R"(","user_id":)" + std::to_string(user) +
           R"(,"product_id":)" + std::to_string(product) + R"(,"quantity":1})";
}

outcome created(const std::string& body) {
    return {.what = verdict::accepted, .status = 201, .body = body};
}

}  // namespace

TEST_CASE("stream: users and products in turn, each request with a key of its own") {
    order_stream orders{{.users = users, .products = {{1, 9, {}}, {2, 9, {}}}, .run = "r"}};
    CHECK(rendered(orders, 0) ==
          "POST /v1/orders HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/json\r\n"
          "Idempotency-Key: r-0\r\nContent-Length: 42\r\n\r\n"
          R"({"user_id":11,"product_id":1,"quantity":1})");
    CHECK_THAT(rendered(orders, 4),
               Catch::Contains("r-4") && Catch::Contains(R"({"user_id":12,"product_id":1,)"));
}

TEST_CASE("stream: nine first tries to one replay, well mixed") {
    const placed_order placed{99, 5, "old", *flashsale::uuid::parse(first_id)};
    order_stream orders{{.users = users,
                         .products = {{5, 0, {}}},
                         .run = "r",
                         .sold_out = {5, 0, {}},
                         .sold_out_percent = 90,
                         .replays = {placed},
                         .replay_percent = 10}};
    std::size_t replays = 0, longest = 0, since = 0;
    for (std::size_t n = 0; n < 1'000; ++n) {
        const bool replay =
            rendered(orders, n).find("Idempotency-Key: old\r\n") != std::string::npos;
        replays += replay;
        since = replay ? 0 : since + 1;
        longest = std::max(longest, since);
    }
    CHECK(replays == 100);
    CHECK(longest < 40);
}

TEST_CASE("stream: a replay must be answered with the order that it repeats") {
    const placed_order placed{99, 5, "old", *flashsale::uuid::parse(first_id)};
    const auto make = [&] {
        return order_stream{{.users = users,
                             .products = {{5, 0, {}}},
                             .run = "r",
                             .replays = {placed},
                             .replay_percent = 100}};
    };
    auto right = make();
    right.done(0, created(body(first_id, 99, 5)));
    CHECK(right.totals().replayed == 1);
    CHECK(right.faults().empty());
    CHECK(right.known().accepted.empty());
    auto wrong = make();
    wrong.done(0, created(body(other_id, 99, 5)));
    CHECK(wrong.faults().size() == 1);
    auto refused = make();
    refused.done(0, {.what = verdict::refused, .status = 400, .code = "out_of_stock"});
    CHECK(refused.faults().size() == 1);
}

TEST_CASE("stream: what was accepted is known, with what was asked for") {
    order_stream orders{{.users = users, .products = {{1, 9, {}}}, .run = "r"}};
    orders.done(1, created(body(first_id, 12, 1)));
    orders.done(2, created(body(other_id, 77, 1)));
    orders.done(0, {.what = verdict::unknown, .maybe_accepted = true});
    const auto known = orders.known();
    REQUIRE(known.accepted.size() == 2);
    CHECK(known.accepted[0].id.to_string() == first_id);
    CHECK(known.accepted[0].wanted.user == 12);
    CHECK(known.accepted[0].wanted.key == "r-1");
    CHECK(known.accepted[0].echoed);
    CHECK_FALSE(known.accepted[1].echoed);
    REQUIRE(known.unsure.size() == 1);
    CHECK(known.unsure[0].key == "r-0");
    CHECK(orders.restart().accepted == 2);
    CHECK(orders.totals().accepted == 0);
    CHECK(orders.known().accepted.size() == 2);
}

TEST_CASE("stream: a 201 that names no order is no proof of anything") {
    order_stream orders{{.users = users, .products = {{1, 9, {}}}, .run = "r"}};
    orders.done(0, created("{}"));
    CHECK(orders.totals().accepted == 0);
    CHECK(orders.totals().unknown == 1);
    CHECK(orders.known().unsure.size() == 1);
}

TEST_CASE("stream: it ends where it was told to") {
    order_stream orders{{.users = users, .products = {{1, 9, {}}}, .run = "r", .requests_max = 2}};
    CHECK(orders.next() == 0);
    CHECK(orders.next() == 1);
    CHECK(orders.next() == std::nullopt);
}
