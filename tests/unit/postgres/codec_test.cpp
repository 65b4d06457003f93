#include "codec.hpp"

#include <catch2/catch.hpp>
#include <flashsale/postgres.hpp>
#include <limits>

using namespace flashsale;
using namespace flashsale::postgres;
using namespace std::string_literals;

TEST_CASE("postgres codec: integers are big-endian and come back") {
    std::string bytes;
    append_int64(bytes, 0x0102030405060708);
    CHECK(bytes == "\1\2\3\4\5\6\7\10"s);
    for (const auto value :
         {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 53,
          std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
        std::string encoded;
        append_int64(encoded, value);
        CHECK(read_integer(encoded) == value);
    }
    CHECK(read_integer("\xff\xfe"s) == -2);
    CHECK(read_integer("\xff\xff\xff\xfe"s) == -2);
}

TEST_CASE("postgres codec: times count microseconds from the year 2000") {
    const auto first = parse_rfc3339("2000-01-01T00:00:00.000001Z").value();
    std::string bytes;
    append_time(bytes, first);
    CHECK(bytes == "\0\0\0\0\0\0\0\1"s);
    for (const auto* text : {"1970-01-01T00:00:00Z", "1999-12-31T23:59:59.999999Z",
                             "2026-11-23T07:05:13.123456Z", "9999-12-31T23:59:59.999999Z"}) {
        std::string encoded;
        append_time(encoded, parse_rfc3339(text).value());
        CHECK(to_rfc3339(read_time(encoded)) == text);
    }
}

TEST_CASE("postgres codec: infinite times saturate") {
    CHECK(read_time("\x7f\xff\xff\xff\xff\xff\xff\xff"s) == timestamp::max());
    CHECK(read_time("\x80\0\0\0\0\0\0\0"s) == timestamp::min());
}

TEST_CASE("postgres codec: a uuid is its 16 bytes") {
    const auto id = uuid::parse("00112233-4455-6677-8899-aabbccddeeff").value();
    std::string bytes;
    append_uuid(bytes, id);
    CHECK(bytes.size() == 16);
    CHECK(bytes.substr(0, 4) == "\x00\x11\x22\x33"s);
    CHECK(read_uuid(bytes) == id);
}

TEST_CASE("postgres parameters: each has its type, and null is not empty") {
    const auto with = parameters()
                          .integer(1)
                          .integer(std::optional<std::int64_t>())
                          .text("")
                          .text(std::optional<std::string>())
                          .time(std::optional<timestamp>())
                          .boolean(true);
    const auto all = with.all();
    REQUIRE(all.size() == 6);
    CHECK(all[0].type == oid::int8);
    CHECK(all[1].type == oid::int8);
    CHECK(all[1].null);
    CHECK(all[2].type == oid::text);
    CHECK_FALSE(all[2].null);
    CHECK(all[3].null);
    CHECK(all[4].type == oid::timestamptz);
    CHECK(all[5].bytes == "\1"s);
}

TEST_CASE("postgres parameters: an array has its head, then lengths and elements") {
    const std::vector<std::int64_t> values{7};
    const auto with = parameters().integers(values);
    CHECK(with.all()[0].type == oid::int8_array);
    CHECK(with.all()[0].bytes ==
          "\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\1\0\0\0\1"
          "\0\0\0\10\0\0\0\0\0\0\0\7"s);

    const std::vector<std::string> texts{"", "ab"};
    CHECK(parameters().texts(texts).all()[0].bytes ==
          "\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\2ab"s);
}

TEST_CASE("postgres parameters: an empty array has no dimension") {
    const auto with = parameters().uuids({});
    CHECK(with.all()[0].bytes == "\0\0\0\0\0\0\0\0\0\0\x0b\x86"s);
}
