#include "server.hpp"

#include <catch2/catch.hpp>

using flashsale::amqp::parse_url;

TEST_CASE("amqp url: its parts, and the default vhost by every spelling") {
    const auto full = parse_url("amqp://al%40ce:s%3acret@broker.example:5673/sale");
    CHECK(full.host == "broker.example");
    CHECK(full.port == 5673);
    CHECK(full.user == "al@ce");
    CHECK(full.password == "s:cret");
    CHECK(full.vhost == "sale");

    CHECK(parse_url("amqp://").host == "localhost");
    CHECK(parse_url("amqp://h").port == 5672);
    CHECK(parse_url("amqp://h").vhost == "/");
    CHECK(parse_url("amqp://h/").vhost == "/");
    CHECK(parse_url("amqp://h/%2f").vhost == "/");
    CHECK(parse_url("amqp://h/%2F").vhost == "/");
}

TEST_CASE("amqp url: what is wrong is refused, and the password is not repeated") {
    for (const char* wrong : {"", "http://h", "amqps://h", "amqp://h:x", "amqp://h:0",
                              "amqp://h:99999", "amqp://h/a/b", "amqp://u:%zz@h"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(parse_url(wrong), std::invalid_argument);
    }
    CHECK_THROWS_WITH(parse_url("amqp://u:hunter2@h:x"), !Catch::Contains("hunter2"));
    CHECK(parse_url("amqp://u:hunter2@h/v").name() == "h:5672/v");
}
