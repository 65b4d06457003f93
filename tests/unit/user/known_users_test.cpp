#include <catch2/catch.hpp>

#include "known_users.hpp"

using namespace flashsale::user;

TEST_CASE("known users: remembers what was added and nothing else") {
    known_users users(100);
    CHECK_FALSE(users.contains(1));
    users.add(1);
    CHECK(users.contains(1));
    CHECK_FALSE(users.contains(2));
}

TEST_CASE("known users: never holds more than its limit, and keeps what is asked for") {
    known_users users(100);
    for (std::int64_t id = 1; id <= 10'000; ++id) {
        users.add(id);
        CHECK(users.contains(1));
        REQUIRE(users.size() <= 100);
    }
    CHECK(users.contains(10'000));
    CHECK_FALSE(users.contains(5'000));
}
