#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <flashsale/http.hpp>

using namespace flashsale;
using namespace flashsale::http;

namespace {

/// The document but for its request_id, which answer_test.cpp sees.
boost::json::object document(const response& answer) {
    CHECK(answer.is_problem);
    CHECK(answer.body.empty() != answer.literal_body.empty());
    return boost::json::parse(std::string(answer.literal_body) + answer.body + "}").as_object();
}

std::string text(const boost::json::object& from, std::string_view name) {
    return std::string(from.at(name).as_string());
}

}  // namespace

TEST_CASE("every problem says what it is, and is prepared as JSON would be written") {
    for (const problem_type* type : protocol_problems()) {
        INFO(type->code());
        const response answer = problem(*type);
        CHECK(answer.status == type->status());
        CHECK(answer.body.empty());
        CHECK((answer.retry_after_s > 0) == (type->status() == 503));
        const auto body = document(answer);
        CHECK(body.size() == 5);
        CHECK(text(body, "type") == "urn:flashsale:problem:" + std::string(type->code()));
        CHECK(text(body, "title") == type->title());
        CHECK(body.at("status").as_int64() == type->status());
        CHECK(text(body, "code") == type->code());
        CHECK(text(body, "detail") == type->detail());
    }
}

namespace {
constexpr problem_type of_a_module{418, "teapot", "A teapot", "It is short and stout.", 7};
}

TEST_CASE("a router lists what its routes may answer, each code once") {
    const problem_type* const more[]{&of_a_module};
    router routes;
    CHECK(std::ranges::equal(routes.problems(), protocol_problems()));
    routes.declare(more);
    CHECK(routes.problems().back() == &of_a_module);
    CHECK(problem(of_a_module).retry_after_s == 7);
    CHECK_THROWS_AS(routes.declare(more), std::logic_error);
    const problem_type* const protocol[]{&problems::not_found};
    CHECK_THROWS_AS(routes.declare(protocol), std::logic_error);
}

TEST_CASE("a problem can name a field and give a detail of its own") {
    const auto body = document(problem(problems::bad_request, "a \"quoted\"\nword", "quantity"));
    CHECK(text(body, "detail") == "a \"quoted\"\nword");
    CHECK(text(body, "field") == "quantity");
    CHECK(document(problem(problems::bad_request, {}, "x")).at("detail").as_string() ==
          document(problem(problems::bad_request)).at("detail").as_string());

    const response fault = problem(field_fault{.field = "price", .expected = "an integer"});
    CHECK(fault.status == 400);
    CHECK(text(document(fault), "code") == "bad_request");
    CHECK(text(document(fault), "field") == "price");
    CHECK(text(document(fault), "detail") == "price: an integer");
}

TEST_CASE("a problem is valid UTF-8, whatever was sent") {
    const auto sent =
        GENERATE(std::string("\xff"), std::string("a\xc3"), std::string("\xed\xa0\x80"),
                 std::string("\xc0\xaf\x01\x7f\"\\"), std::string(1'000, '\xff'));
    for (const response& answer : {problem(field_fault{.field = sent, .expected = "x"}),
                                   problem(problems::bad_request, sent, sent),
                                   problem(problems::dependency_unavailable, sent)}) {
        CHECK(is_valid_utf8(answer.body));
        document(answer);
    }
    CHECK(text(document(problem(field_fault{.field = "\xff=1", .expected = "x"})), "field") ==
          "\xef\xbf\xbd=1");
}

TEST_CASE("a problem shows no more than 64 bytes of a field, in whole characters") {
    const auto shown = [](const std::string& sent) {
        const auto body = document(problem(field_fault{.field = sent, .expected = "x"}));
        const std::string field = text(body, "field");
        CHECK(text(body, "detail") == field + ": x");
        CHECK(text(document(problem(problems::bad_request, {}, sent)), "field") == field);
        return field;
    };
    CHECK(shown(std::string(64, 'a')) == std::string(64, 'a'));
    CHECK(shown(std::string(10'000, 'a')) == std::string(64, 'a'));
    CHECK(shown(std::string(63, 'a') + "ä") == std::string(63, 'a'));
    CHECK(shown(std::string(62, 'a') + "ä") == std::string(62, 'a') + "ä");
    CHECK(shown(std::string(1'000, '\xff')).size() == 63);
}
