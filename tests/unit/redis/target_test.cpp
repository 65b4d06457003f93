#include "target.hpp"

#include <catch2/catch.hpp>

#include <flashsale/redis.hpp>

using flashsale::redis::parse_target;

TEST_CASE("redis url: host, port, database and credentials") {
    const auto full = parse_target("redis://alice:s%40cret@example.org:7000/3");
    CHECK(full.host == "example.org");
    CHECK(full.port == "7000");
    CHECK(full.user == "alice");
    CHECK(full.password == "s@cret");
    CHECK(full.database == 3);

    const auto plain = parse_target("redis://127.0.0.1");
    CHECK(plain.host == "127.0.0.1");
    CHECK(plain.port == "6379");
    CHECK(plain.database == 0);

    CHECK(parse_target("redis://:secret@h").password == "secret");
    CHECK(parse_target("redis://:secret@h").user.empty());
    CHECK(parse_target("redis://[::1]:6380/").host == "::1");
    CHECK(parse_target("redis://[::1]:6380/").port == "6380");
}

TEST_CASE("redis url: a unix socket") {
    CHECK(parse_target("unix:///run/redis.sock").path == "/run/redis.sock");
    CHECK(parse_target("unix:///run/redis.sock?db=2").database == 2);
}

TEST_CASE("redis url: what is wrong is refused, and the password is not repeated") {
    for (const char* wrong : {"",
                              "http://h",
                              "redis://",
                              "redis://:6379",
                              "redis://h:",
                              "redis://h:0",
                              "redis://h:65536",
                              "redis://h:1x",
                              "redis://h/x",
                              "redis://h/-1",
                              "redis://user@h",
                              "redis://:%4@h",
                              "redis://:%zz@h",
                              "redis://[::1",
                              "redis://[::1]6379",
                              "unix://relative",
                              "unix:///a?database=1",
                              "redis://h,i",
                              "redis://u:hunter2@h i",
                              "redis://h/0?ssl=true",
                              "redis://h#x",
                              "redis://u:a/b@h",
                              "rediss://h",
                              "redis://h\\x"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(parse_target(wrong), std::invalid_argument);
    }
    CHECK_THROWS_WITH(parse_target("redis://u:hunter2@h:x"), !Catch::Contains("hunter2"));
    CHECK(parse_target("redis://u:hunter2@h").name() == "h:6379");
    CHECK_FALSE(flashsale::redis::check_url("redis://u:hunter2@h:x"));
    CHECK(flashsale::redis::check_url("redis://u:hunter2@h"));
}

TEST_CASE("redis url: what is shown of it has no password in it, and of another form nothing is") {
    using flashsale::redis::shown;
    CHECK(shown("redis://10.0.0.1:6379/0") == "redis://10.0.0.1:6379/0");
    CHECK(shown("redis://[::1]") == "redis://[::1]:6379/0");
    CHECK(shown("redis://shop:hunter2@h:1/3") == "redis://shop:***@h:1/3");
    CHECK(shown("redis://:hunter2@h") == "redis://:***@h:6379/0");
    CHECK(shown("redis://shop:hun@ter2@h") == "redis://shop:***@h:6379/0");
    CHECK(shown("redis://shop:hun#ter2@h") == "redis://shop:***@h:6379/0");
    CHECK(shown("redis://shop:hun:ter2@h") == "redis://shop:***@h:6379/0");
    CHECK(shown("unix:///run/redis.sock?db=2") == "unix:///run/redis.sock?db=2");
    for (const char* other : {"redis://shop:hun/ter2@h", "redis://hunter2@h", "hunter2",
                              "redis://h?password=hunter2", "redis://shop:hunter2%@h"}) {
        CAPTURE(other);
        CHECK(shown(other) == "a URL that is not shown");
    }
}
