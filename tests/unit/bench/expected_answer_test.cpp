#include "load/expected_answer.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::bench;

namespace {

const std::vector<std::int64_t> users{11};
constexpr const char* order =
    R"({"id":"01890a5d-ac96-7000-bcce-b302099a8057","user_id":11,"product_id":1,"quantity":1})";

const outcome accepted{.what = verdict::accepted, .status = 201, .body = order};
const outcome without_order{.what = verdict::accepted, .status = 201, .body = "{}"};
const outcome ok{.what = verdict::accepted, .status = 200, .body = order};
const outcome sold_out{.what = verdict::refused, .status = 400, .code = "out_of_stock"};
const outcome busy{.what = verdict::refused, .status = 503, .code = "overloaded"};
const outcome unknown{.what = verdict::unknown, .status = 503, .code = "outcome_unknown"};
const outcome lost{.what = verdict::unknown, .code = "no_answer"};

/// Of as many orders as there are outcomes, if this is the code to expect.
std::string fault(const std::string& code, const std::vector<outcome>& all) {
    order_stream orders{{.users = users, .products = {{1, 9, {}}}, .run = "r"}};
    expected_answer heard{orders, code};
    for (const auto& each : all)
        heard.done(*heard.next(), each);
    return heard.fault();
}

}  // namespace

TEST_CASE("expected answer: orders that are all answered so are no fault") {
    CHECK(fault({}, {}) == "");
    CHECK(fault({}, {accepted, accepted}) == "");
    CHECK(fault("out_of_stock", {sold_out, sold_out}) == "");
}

TEST_CASE("expected answer: one order that is answered otherwise is a fault") {
    CHECK(fault({}, {accepted, sold_out, accepted, busy}) ==
          "2 of 4 orders were not answered 201; the first of them: 400 out_of_stock");
    CHECK(fault("out_of_stock", {sold_out, busy}) ==
          "1 of 2 orders were not answered out_of_stock; the first of them: 503 overloaded");
    CHECK_THAT(fault("out_of_stock", {accepted, sold_out}),
               Catch::StartsWith("1 of 2 orders were not answered out_of_stock; the first of "
                                 "them: 201 {"));
    for (const auto& other : {unknown, lost, ok, without_order}) {
        INFO(other.status << " " << other.code);
        CHECK(fault({}, {accepted, other}) != "");
        CHECK(fault("out_of_stock", {sold_out, other}) != "");
    }
}
