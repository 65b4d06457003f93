#include <catch2/catch.hpp>
#include <flashsale/http.hpp>

using namespace flashsale::http;
using namespace std::string_literals;

namespace {

std::string refusal_of(std::string_view body) {
    const auto parsed = parse_body(body);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().status == 400);
    const auto document = boost::json::parse(parsed.error().body + "}").as_object();
    CHECK(document.at("code").as_string() == "malformed_json");
    CHECK(document.at("field").as_string() == "body");
    return std::string(document.at("detail").as_string());
}

}  // namespace

TEST_CASE("a body is one JSON value") {
    const auto text = GENERATE(R"({"a":1})"s, R"({})"s, R"([1,2,{"a":{"b":null}}])"s, R"("x")"s,
                               "1"s, " {\"a\" : \"b:c\\\":\"}\r\n"s, R"({"a:b":1,"c":{"a:b":2}})"s,
                               R"([{"a":1},{"a":2}])"s, R"({"n":9223372036854775807})"s);
    const auto parsed = parse_body(text);
    REQUIRE(parsed);
    CHECK(*parsed == boost::json::parse(text));
}

TEST_CASE("what is not exactly one JSON value is refused") {
    const auto text = GENERATE("{"s, "}"s, "{\"a\":1"s, "{\"a\":1}x"s, "{\"a\":1}{}"s, "{'a':1}"s,
                               "{a:1}"s, "nul"s, " "s, "{\"a\":01}"s, "{\"a\":1,}"s, "[1 2]"s,
                               "\xef\xbb\xbf{}"s, "{\"a\":\"\n\"}"s, "/**/{}"s, "{\"a\":NaN}"s,
                               "{\"a\":\"\\x\"}"s, "{\"a\":\"\\ud800\"}"s, "\0"s, "{}\0"s);
    INFO(text);
    CHECK(refusal_of(text).starts_with("Near byte "));
}

TEST_CASE("a refusal says where the body went wrong") {
    CHECK(refusal_of(R"({"quantity":1,})").starts_with("Near byte 14 "));
    CHECK(refusal_of("").starts_with("The body is empty"));
}

TEST_CASE("invalid UTF-8 is refused") {
    const auto bytes =
        GENERATE("\xff"s, "\xc3"s, "\xc0\xaf"s, "\xed\xa0\x80"s, "\xf5\x80\x80\x80"s);
    refusal_of("{\"name\":\"" + bytes + "\"}");
    refusal_of("{\"" + bytes + "\":1}");
}

TEST_CASE("nesting has a limit") {
    CHECK(parse_body(std::string(8, '[') + std::string(8, ']')));
    refusal_of(std::string(9, '[') + std::string(9, ']'));
    refusal_of(std::string(10'000, '['));
}

TEST_CASE("two members of one name are refused, at any depth and however written") {
    const auto text =
        GENERATE(R"({"a":1,"a":1})"s, R"({"a":1,"b":{"x":1,"x":2}})"s, R"([[{"a":1,"a":2}]])"s,
                 R"({"a":1,"\u0061":2})"s, R"({"a:":1,"a:":2,"b":"::"})"s);
    CHECK(refusal_of(text) == "An object in the body has two members of one name.");
}

TEST_CASE("a refused body leaves nothing behind for the next") {
    refusal_of(R"({"a":)");
    const auto parsed = parse_body(R"({"b":2})");
    REQUIRE(parsed);
    CHECK(parsed->as_object().size() == 1);
}
