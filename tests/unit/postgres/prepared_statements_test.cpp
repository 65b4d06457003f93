#include "prepared_statements.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::postgres;

TEST_CASE("postgres prepared statements: known after add, unknown after forget") {
    const statement find_user{"find_user", "SELECT 1"};
    prepared_statements known;
    CHECK(known.find(find_user) == nullptr);
    CHECK(known.add(find_user) == "find_user");
    REQUIRE(known.find(find_user));
    CHECK(*known.find(find_user) == "find_user");
    known.forget("find_user");
    CHECK(known.find(find_user) == nullptr);
}

TEST_CASE("postgres prepared statements: a late failure of the old name leaves the new one alone") {
    const statement find_user{"find_user", "SELECT 1"};
    prepared_statements known;
    known.add(find_user);
    known.forget("find_user");
    CHECK(known.add(find_user) == "find_user/2");
    known.forget("find_user");
    REQUIRE(known.find(find_user));
    CHECK(*known.find(find_user) == "find_user/2");
}

TEST_CASE("postgres prepared statements: a new connection knows none") {
    const statement find_user{"find_user", "SELECT 1"};
    prepared_statements known;
    known.add(find_user);
    known.clear();
    CHECK(known.find(find_user) == nullptr);
    CHECK(known.add(find_user) == "find_user");
}
