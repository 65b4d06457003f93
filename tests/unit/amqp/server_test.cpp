#include "server.hpp"

#include <catch2/catch.hpp>

#include <flashsale/amqp.hpp>

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
    for (const char* wrong :
         {"", "http://h", "amqps://h", "amqp://h:x", "amqp://h:0", "amqp://h:99999", "amqp://h/a/b",
          "amqp://u:%zz@h", "amqp://u:p#x@h/%2f", "amqp://h/%2f?heartbeat=10", "amqp://h1,h2/%2f",
          "amqp://h//a", "amqp://u:p@h@i", "amqp://h i", "amqp://h%00/%2f", "amqp://h/a%00b",
          "amqp://h/a%0ab"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(parse_url(wrong), std::invalid_argument);
    }
    CHECK_THROWS_WITH(parse_url("amqp://u:hunter2@h:x"), !Catch::Contains("hunter2"));
    CHECK(parse_url("amqp://u:hunter2@h/v").name() == "h:5672/v");
    CHECK(parse_url("amqp://[::1]:1/v").name() == "[::1]:1/v");
}

TEST_CASE("amqp url: what is shown of it has no password in it, and of another form nothing is") {
    using flashsale::amqp::shown;
    CHECK(shown("amqp://shop:hunter2@10.0.0.1:5672/%2f") == "amqp://shop:***@10.0.0.1:5672/%2f");
    CHECK(shown("amqp://shop:hun%40ter2@h") == "amqp://shop:***@h:5672/%2f");
    CHECK(shown("amqp://sh%40op:hunter2@[::1]/a%2fb") == "amqp://sh%40op:***@[::1]:5672/a%2fb");
    for (const char* other :
         {"amqp://shop:hun@ter2@h", "amqp://shop:hun#ter2@h", "amqp://shop:hun/ter2@h",
          "amqp://h?password=hunter2", "amqps://shop:hunter2@h", "hunter2"}) {
        CAPTURE(other);
        CHECK(shown(other) == "a URL that is not shown");
    }
}
