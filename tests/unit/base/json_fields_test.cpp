#include <catch2/catch.hpp>
#include <flashsale/base/json_fields.hpp>
#include <limits>

using namespace flashsale;
namespace json = boost::json;

TEST_CASE("json fields: what is well formed is read") {
    const auto value = json::parse(R"({"n":9007199254740993,"s":"é","t":"2026-11-23T00:00:00Z","z":null})");
    json_fields fields(value);
    CHECK(fields.integer("n", 1, std::numeric_limits<std::int64_t>::max()) == 9'007'199'254'740'993);
    CHECK(fields.text("s", 1, 10) == "é");
    CHECK(fields.optional_time("t").has_value());
    CHECK_FALSE(fields.optional_integer("z", 0, 1).has_value());
    CHECK_FALSE(fields.optional_text("absent", 0, 1).has_value());
    CHECK_FALSE(fields.finish().has_value());
}

TEST_CASE("json fields: a fault names the field and what was expected") {
    const auto fault_of = [](const char* text) {
        const auto value = json::parse(text);
        json_fields fields(value);
        fields.integer("n", 1, 5);
        fields.optional_text("s", 1, 3);
        fields.optional_time("t");
        return fields.finish();
    };
    CHECK_FALSE(fault_of(R"({"n":5})").has_value());
    CHECK(fault_of(R"({})")->field == "n");
    CHECK(fault_of(R"([])")->field == "body");
    for (const char* n : {"0", "6", "-1", "1.0", "\"1\"", "true", "null", "[]", "1e0",
                          "18446744073709551615", "99999999999999999999"}) {
        INFO(n);
        const auto fault = fault_of((std::string(R"({"n":)") + n + "}").c_str());
        REQUIRE(fault.has_value());
        CHECK(fault->field == "n");
        CHECK(fault->expected.find("from 1 to 5") != std::string::npos);
    }
    CHECK(fault_of(R"({"n":1,"s":""})")->field == "s");
    CHECK(fault_of(R"({"n":1,"s":"long"})")->field == "s");
    CHECK(fault_of("{\"n\":1,\"s\":\"\\u0000\"}")->field == "s");
    CHECK(fault_of(R"({"n":1,"t":"yesterday"})")->field == "t");
    const auto unknown = fault_of(R"({"n":1,"other":2})");
    REQUIRE(unknown.has_value());
    CHECK(unknown->field == "other");
    CHECK(unknown->expected == "no such field; known are n, s, t");
}

TEST_CASE("json fields: UTF-8 is checked to the letter") {
    CHECK(is_valid_utf8("plain"));
    CHECK(is_valid_utf8("\xf0\x9f\x9b\x92"));
    for (const char* wrong : {"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                              "\xff", "\xe2\x82", "a\xc3"}) {
        CHECK_FALSE(is_valid_utf8(wrong));
    }
}

TEST_CASE("json fields: a string is valid UTF-8, whatever it is made of") {
    const auto written = [](std::string_view text) {
        std::string out;
        append_json_string(out, text);
        CHECK(is_valid_utf8(out));
        return std::string(json::parse(out).as_string());
    };
    const std::string replaced = "\xef\xbf\xbd";
    CHECK(written("\xff") == replaced);
    CHECK(written("a\xc3") == "a" + replaced);
    CHECK(written("\xc3\x28") == replaced + "(");
    CHECK(written("\xed\xa0\x80") == replaced + replaced + replaced);
    CHECK(written("\xe2\x82\"\xf0\x9f\x9b\x92") == replaced + replaced + "\"\xf0\x9f\x9b\x92");
    for (int lead = 0; lead < 256; ++lead) {
        for (int next = 0; next < 256; ++next)
            written(std::string{static_cast<char>(lead), static_cast<char>(next), 'x', '\xbf'});
    }
}

TEST_CASE("json fields: strings are escaped so that they parse back") {
    const std::string nasty = "a\"b\\c\n\x01\x1f é";
    std::string out;
    append_json_string(out, nasty);
    CHECK(std::string(json::parse(out).as_string()) == nasty);
}
