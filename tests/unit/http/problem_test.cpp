#include <catch2/catch.hpp>
#include <set>

#include "problem_table.hpp"

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

TEST_CASE("every problem has a code of its own and says what it is") {
    std::set<std::string_view> names;
    for (const problem_row& row : problem_table()) {
        INFO(row.name);
        CHECK(names.insert(row.name).second);
        CHECK(row.status >= 400);
        CHECK(row.status < 600);
        CHECK(status_of(row.code) == row.status);
        CHECK(name_of(row.code) == row.name);

        const response answer = problem(row.code);
        CHECK(answer.status == row.status);
        CHECK((answer.retry_after_s > 0) == (row.status == 503));
        const auto body = document(answer);
        CHECK(body.size() == 5);
        CHECK(text(body, "type") == "urn:flashsale:problem:" + std::string(row.name));
        CHECK(text(body, "title") == row.title);
        CHECK(body.at("status").as_int64() == row.status);
        CHECK(text(body, "code") == row.name);
        CHECK(text(body, "detail") == row.detail);
    }
}

TEST_CASE("a problem can name a field and give a detail of its own") {
    const auto body =
        document(problem(problem_code::bad_request, "a \"quoted\"\nword", "quantity"));
    CHECK(text(body, "detail") == "a \"quoted\"\nword");
    CHECK(text(body, "field") == "quantity");
    CHECK(document(problem(problem_code::bad_request, {}, "x")).at("detail").as_string() ==
          document(problem(problem_code::bad_request)).at("detail").as_string());

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
                                   problem(problem_code::bad_request, sent, sent),
                                   problem(problem_code::dependency_unavailable, sent)}) {
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
        CHECK(text(document(problem(problem_code::bad_request, {}, sent)), "field") == field);
        return field;
    };
    CHECK(shown(std::string(64, 'a')) == std::string(64, 'a'));
    CHECK(shown(std::string(10'000, 'a')) == std::string(64, 'a'));
    CHECK(shown(std::string(63, 'a') + "ä") == std::string(63, 'a'));
    CHECK(shown(std::string(62, 'a') + "ä") == std::string(62, 'a') + "ä");
    CHECK(shown(std::string(1'000, '\xff')).size() == 63);
}
