#include "load/hold_traffic.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::bench;

namespace {

hold_plan plan(std::size_t users, std::int64_t stock, std::size_t mixed) {
    hold_plan made{.users = {},
                   .product = {9, stock, 1},
                   .mixed = mixed,
                   .most = std::chrono::hours{1},
                   .run = "r"};
    for (std::size_t i = 0; i < users; ++i)
        made.users.push_back(static_cast<std::int64_t>(i) + 1);
    return made;
}

std::string request(const hold_traffic& sale, std::size_t number) {
    std::string bytes;
    sale.render(number, "here", bytes);
    return bytes;
}

std::string id(int n) {
    return "01890a5d-ac96-7b74-8000-00000000000" + std::to_string(n);
}

std::string order(int n, std::int64_t user, const char* status = "PENDING") {
    return R"({"id":")" + id(n) + R"(","user_id":)" + std::to_string(user) +
           R"(,"product_id":9,"quantity":1,"order_status":")" + status + R"("})";
}

/// Answers the next request, which must be as said.
void answer(hold_traffic& sale, const std::string& expected, outcome with,
            const std::string& body = {}) {
    const auto number = sale.next();
    REQUIRE(number);
    CHECK_THAT(request(sale, *number), Catch::Contains(expected));
    with.body = body;
    sale.done(*number, with);
}

constexpr outcome granted{.what = verdict::accepted, .status = 201};
constexpr outcome done{.what = verdict::accepted, .status = 200};
constexpr outcome no_answer{.what = verdict::unknown, .maybe_accepted = true};

outcome refused(unsigned status, std::string_view code) {
    return {.what = verdict::refused, .status = status, .code = code};
}

}  // namespace

TEST_CASE("hold traffic: a third pays, a third cancels, a third leaves its first order") {
    const auto all = plan(9, 3, 6);
    CHECK(all.intention_of(0, true, 0) == intention::pay);
    CHECK(all.intention_of(1, true, 0) == intention::cancel);
    CHECK(all.intention_of(2, true, 5) == intention::leave);
    CHECK(all.intention_of(2, true, 6) == intention::pay);
    CHECK(all.intention_of(2, false, 0) == intention::pay);
}

TEST_CASE("hold traffic: asks on until every unit is paid for") {
    hold_traffic sale{plan(3, 2, 3)};
    answer(sale, R"("user_id":1)", granted, order(1, 1));
    answer(sale, "/v1/orders/" + id(1) + "/payments", granted);
    CHECK(sale.totals().paid == 1);
    answer(sale, R"("user_id":2)", granted, order(2, 2));
    answer(sale, "/v1/orders/" + id(2) + "/cancel", done, order(2, 2, "CANCELLED"));
    answer(sale, R"("user_id":3)", granted, order(3, 3));
    answer(sale, R"("user_id":1)", refused(409, "purchase_limit"));
    answer(sale, R"("user_id":2)", refused(400, "out_of_stock"));
    answer(sale, R"("user_id":3)", granted, order(4, 3));
    CHECK_FALSE(sale.finished());
    answer(sale, "/v1/orders/" + id(4) + "/payments", granted);
    CHECK(sale.finished());
    CHECK_FALSE(sale.next());
    CHECK(sale.fault().empty());
    CHECK(sale.totals().granted == 4);
    CHECK(sale.totals().cancelled == 1);
    CHECK(sale.totals().left == 1);
    CHECK(sale.totals().refused == 2);
    CHECK(sale.unsettled() == 0);
    REQUIRE(sale.lives().size() == 4);
    CHECK(sale.lives()[0].state == order_state::paid);
    CHECK(sale.lives()[1].state == order_state::cancelled);
    CHECK(sale.lives()[2].state == order_state::expired);
    CHECK(sale.accepted()[3].wanted.user == 3);
    CHECK(sale.accepted()[3].echoed);
}

TEST_CASE("hold traffic: what is unknown is asked for again, the same") {
    hold_traffic sale{plan(3, 1, 0)};
    const auto first = sale.next();
    const auto bytes = request(sale, *first);
    sale.done(*first, no_answer);
    CHECK(sale.unsettled() == 1);
    CHECK(sale.unsure().size() == 1);
    // A refusal behind a try without an answer is asked for once more.
    auto doubtful = refused(400, "out_of_stock");
    doubtful.maybe_accepted = true;
    answer(sale, bytes, doubtful);
    answer(sale, bytes, granted, order(1, 1));
    const std::string payment = "/v1/orders/" + id(1) + "/payments";
    answer(sale, payment, refused(503, "order_not_recorded"));
    answer(sale, payment, no_answer);
    answer(sale, payment, granted);
    CHECK(sale.finished());
    CHECK(sale.fault().empty());
    CHECK(sale.totals().asked_again == 4);
    CHECK(sale.unsettled() == 0);
}

TEST_CASE("hold traffic: a payment that comes too late is no fault, another refusal is") {
    hold_traffic sale{plan(3, 1, 0)};
    answer(sale, R"("user_id":1)", granted, order(1, 1));
    const std::string payment = "/v1/orders/" + id(1) + "/payments";
    SECTION("too late") {
        answer(sale, payment, refused(409, "order_not_payable"),
               R"({"status":409,"code":"order_not_payable","order_status":"EXPIRED"})");
        CHECK(sale.fault().empty());
        CHECK(sale.totals().too_late == 1);
        CHECK(sale.lives()[0].state == order_state::expired);
        CHECK(sale.next());
    }
    SECTION("refused for another reason") {
        answer(sale, payment, refused(402, "insufficient_balance"));
        CHECK_THAT(sale.fault(), Catch::Contains("402 insufficient_balance"));
        CHECK_FALSE(sale.next());
    }
}

TEST_CASE("hold traffic: ends when its time is over") {
    auto short_sale = plan(3, 1, 0);
    short_sale.most = std::chrono::milliseconds{0};
    hold_traffic sale{std::move(short_sale)};
    CHECK_FALSE(sale.next());
    CHECK_FALSE(sale.finished());
}
