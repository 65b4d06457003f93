#include "field_values.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::http;

TEST_CASE("application/json in UTF-8 has several spellings") {
    const auto* right =
        GENERATE("application/json", "Application/JSON", "application/json;charset=utf-8",
                 "application/json; charset=UTF-8", "application/json ; Charset=\"utf-8\"",
                 "application/json;", "application/json; ;charset=utf-8", "application/json;x=y",
                 "application/json; x=\"a;b, charset=latin1\"; charset=utf-8");
    INFO(right);
    CHECK(is_json_in_utf8(right));
}

TEST_CASE("anything else is not application/json in UTF-8") {
    const auto* wrong = GENERATE(
        "", "application", "application/json2", "application/jso", "text/json", "text/plain",
        "application/problem+json", "application/json, text/plain", "application/json text/plain",
        "application/x-www-form-urlencoded", "multipart/form-data; x=application/json",
        "application/json; charset=iso-8859-1", "application/json; charset=\"utf-16\"",
        "application/json; charset=utf-8; charset=latin1", "application/json; charset",
        "application/json; charset=", "application/json; charset = utf-8",
        "application/json; charset=\"utf-8", "application/json; charset=\"ut\\f-8\"",
        "application/json; charset=utf-8 x", "application/json; =x", "application/json; a=b, c");
    INFO(wrong);
    CHECK_FALSE(is_json_in_utf8(wrong));
}

TEST_CASE("a key in quotes is what is inside") {
    const auto key = [](std::string_view field) {
        std::string room;
        const auto found = idempotency_key_in(field, room);
        return found ? std::string(*found) : std::string("refused");
    };
    CHECK(key("k") == "k");
    CHECK(key("\"k\"") == "k");
    CHECK(key("k\"") == "k\"");
    CHECK(key(R"("a\"b\\c")") == R"(a"b\c)");
    CHECK(key("\"" + std::string(255, 'k') + "\"") == std::string(255, 'k'));
    for (const auto* wrong : {"", "\"", "\"\"", "\"a", "\"a\"b\"", R"("a\")", R"("a\b")", "\"a b\"",
                              "\"a\";p=1", "a b", "\"\xc3\xa4\"", "\"\\\""}) {
        INFO(wrong);
        CHECK(key(wrong) == "refused");
    }
    CHECK(key("\"" + std::string(256, 'k') + "\"") == "refused");
}
