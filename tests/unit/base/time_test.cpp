#include <catch2/catch.hpp>
#include <flashsale/base/time.hpp>

using namespace flashsale;
using std::chrono::microseconds;

TEST_CASE("time: RFC 3339 is written with as many fraction digits as needed") {
    CHECK(to_rfc3339(timestamp{}) == "1970-01-01T00:00:00Z");
    CHECK(to_rfc3339(timestamp{microseconds{1'500'000}}) == "1970-01-01T00:00:01.500Z");
    CHECK(to_rfc3339(timestamp{microseconds{951'827'696'000'001}}) ==
          "2000-02-29T12:34:56.000001Z");
}

TEST_CASE("time: RFC 3339 is read with any offset") {
    CHECK(parse_rfc3339("1970-01-01T00:00:00Z") == timestamp{});
    CHECK(parse_rfc3339("2000-02-29T14:34:56.000001+02:00") ==
          timestamp{microseconds{951'827'696'000'001}});
    CHECK(parse_rfc3339("2000-02-29t12:34:56.0000019z") ==
          timestamp{microseconds{951'827'696'000'001}});
    CHECK(parse_rfc3339("2000-02-29T09:04:56.5-03:30") ==
          timestamp{microseconds{951'827'696'500'000}});
    for (const char* wrong :
         {"", "2026", "2026-11-23", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
          "2026-11-23T24:00:00Z", "2026-11-23T00:60:00Z", "2026-11-23T00:00:60Z",
          "2026-11-23T00:00:00", "2026-11-23T00:00:00.Z", "2026-11-23T00:00:00+2:00",
          "2026-11-23T00:00:00Zx", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00",
          "1969-12-31T23:59:59.999999-00:00", "9999-12-31T23:59:59-01:00",
          "9999-12-31T23:00:00-01:00", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z"}) {
        INFO(wrong);
        CHECK_FALSE(parse_rfc3339(wrong).has_value());
    }
}

TEST_CASE("time: what counts is the year in UTC") {
    for (const auto& [given, utc] :
         {std::pair{"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
          std::pair{"9999-12-31T22:59:59-01:00", "9999-12-31T23:59:59Z"},
          std::pair{"9999-12-31T23:59:59+01:00", "9999-12-31T22:59:59Z"},
          std::pair{"1969-12-31T23:30:00-01:00", "1970-01-01T00:30:00Z"},
          std::pair{"1970-01-01T01:00:00+01:00", "1970-01-01T00:00:00Z"}}) {
        INFO(given);
        const auto time = parse_rfc3339(given);
        REQUIRE(time.has_value());
        CHECK(to_rfc3339(*time) == utc);
    }
}
