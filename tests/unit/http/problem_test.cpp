#include <catch2/catch.hpp>
#include <set>

#include "problem_table.hpp"

using namespace flashsale;
using namespace flashsale::http;

namespace {

boost::json::object document(const response& answer) {
    return boost::json::parse(answer.body).as_object();
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
        CHECK(body.size() == 6);
        CHECK(text(body, "type") == "urn:flashsale:problem:" + std::string(row.name));
        CHECK(text(body, "title") == row.title);
        CHECK(body.at("status").as_int64() == row.status);
        CHECK(text(body, "code") == row.name);
        CHECK(text(body, "detail") == row.detail);
        CHECK_FALSE(text(body, "request_id").empty());
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

TEST_CASE("request ids are never repeated") {
    std::set<std::string> ids;
    for (int i = 0; i < 1'000; ++i)
        ids.insert(text(document(problem(problem_code::internal)), "request_id"));
    std::vector<std::string> elsewhere;
    std::thread([&] {
        for (int i = 0; i < 1'000; ++i) {
            elsewhere.push_back(text(document(problem(problem_code::internal)), "request_id"));
        }
    }).join();
    ids.insert(elsewhere.begin(), elsewhere.end());
    CHECK(ids.size() == 2'000);
}
