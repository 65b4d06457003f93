#include "url.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::app;

TEST_CASE("url: where a process listens can be pasted where a URL is asked for") {
    CHECK(url_of("127.0.0.1", 8080) == "http://127.0.0.1:8080");
    CHECK(url_of("::1", 8080) == "http://[::1]:8080");
    CHECK(url_of("fe80::1%eth0", 80) == "http://[fe80::1%25eth0]:80");
    for (const auto* address : {"127.0.0.1", "0.0.0.0", "::1", "::", "fe80::1%eth0", "localhost"}) {
        INFO(address);
        const auto found = parse_http_url(url_of(address, 8080));
        REQUIRE(found);
        CHECK(found->host == address);
        CHECK(found->port == "8080");
    }
}

TEST_CASE("url: a port may be left out, and a path does not matter") {
    CHECK(parse_http_url("http://shop.example")->port == "80");
    CHECK(parse_http_url("http://shop.example:")->port == "80");
    CHECK(parse_http_url("http://[::1]/readyz")->host == "::1");
    CHECK(parse_http_url("http://[::1]/readyz")->port == "80");
    CHECK(parse_http_url("http://a:1/b:2")->port == "1");
    CHECK(parse_http_url("http://a:1?b")->host == "a");
}

TEST_CASE("url: what is no http URL with a host is refused") {
    for (const auto* wrong :
         {"", "127.0.0.1:8080", "https://a", "http://", "http://:80", "http:///x", "http://u@a",
          "http://a:b", "http://a:0", "http://a:65536", "http://a:-1", "http://a:1:2",
          "http://::1:80", "http://[::1", "http://[::1]80", "http://[]:80", "http://[a]:80"}) {
        INFO(wrong);
        CHECK_FALSE(parse_http_url(wrong));
    }
}
