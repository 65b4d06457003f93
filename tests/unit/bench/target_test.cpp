#include <catch2/catch.hpp>

#include "load/connection.hpp"

using namespace flashsale::bench;

TEST_CASE("target: it takes what the server prints, IPv6 in brackets too") {
    const auto v6 = parse_target("http://[::1]:8080");
    REQUIRE(v6);
    CHECK(v6->address.address().to_string() == "::1");
    CHECK(v6->address.port() == 8'080);
    CHECK(parse_target("http://[::1]")->address.port() == 80);
    CHECK(parse_target("http://127.0.0.1:8080/")->address.port() == 8'080);
    for (const auto* wrong :
         {"127.0.0.1:80", "http://", "http://:80", "http://a/b", "http://[::1]:"})
        CHECK_FALSE(parse_target(wrong));
}
