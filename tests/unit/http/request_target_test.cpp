#include "request_target.hpp"

#include <catch2/catch.hpp>
#include <flashsale/http.hpp>

using namespace flashsale::http;

TEST_CASE("a Host is a name or an address, with a port or without") {
    const auto* right =
        GENERATE("", "a", "shop.example", "SHOP-1.example:8080", "a:", "127.0.0.1:80", "a_b~c",
                 "%41.example", "a!$&'()*+,;=b", "[::1]", "[::1]:8080", "[fe80:0:0::1]",
                 "[::1]:", "[::ffff:127.0.0.1]:1");
    INFO(right);
    CHECK(is_host(right));
}

TEST_CASE("a Host is nothing else") {
    const auto* wrong =
        GENERATE(":80", "a b", "a/", "a?b", "a#b", "u@a", "a:b", "a:80:80", "a:-1", "::1", "[",
                 "[]", "[::1", "::1]", "[::1]a", "[1.2.3.4]", "[::1%25lo]", "[::g]", "[a]", "a%",
                 "a%4", "a%4g", "a\xc3\xa4", "\x7f", "a\t", "http://a", "\"a\"", "a\\b", "<a>");
    INFO(wrong);
    CHECK_FALSE(is_host(wrong));
}

TEST_CASE("a host is looked up whole, or without its port") {
    const std::vector<std::string> hosts{"shop.example", "localhost:8080", "[::1]"};
    for (const auto* one : {"shop.example", "Shop.Example:1", "LOCALHOST:8080", "[::1]", "[::1]:9"})
        CHECK(is_one_of(one, hosts));
    for (const auto* one :
         {"", "shop", "localhost", "localhost:80", "[::2]", "a.shop.example", "::1"})
        CHECK_FALSE(is_one_of(one, hosts));
}

TEST_CASE("a target in absolute form has its authority, its path and its query") {
    const auto parts = parse_target("http://shop.example:80/v1/orders?a=http://b/");
    REQUIRE(parts);
    CHECK(parts->authority == "shop.example:80");
    CHECK(parts->path == "/v1/orders");
    CHECK(parts->query == "a=http://b/");
    CHECK(parse_target("/a?b")->authority.empty());
    CHECK(parse_target("/a?b")->path == "/a");
    CHECK(parse_target("//a/b")->path == "//a/b");
    CHECK(parse_target("*")->path == "*");
    CHECK(parse_target("a:443")->path == "a:443");
    for (const auto* wrong : {"http://", "http:///", "http://?", "http://:80/", "http://u:p@a/",
                              "http://a b/", "http://a#b", "http://[::1/", "https://a:x/"}) {
        INFO(wrong);
        CHECK_FALSE(parse_target(wrong));
    }
}
