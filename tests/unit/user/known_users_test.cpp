#include <catch2/catch.hpp>

#include <limits>
#include <vector>

#include "known_users.hpp"

using namespace flashsale::user;

namespace {

constexpr std::int64_t page = known_users::page_ids;

}  // namespace

TEST_CASE("known users: remembers what was added and nothing else") {
    known_users users(1'000'000);
    for (const std::int64_t id :
         {std::int64_t{1}, page - 1, page, 5 * page + 63, 5 * page + 64, -page, std::int64_t{-1},
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
        CHECK_FALSE(users.contains(id));
        users.add(id);
        CHECK(users.contains(id));
        CHECK_FALSE(users.contains(id ^ 1));
        CHECK_FALSE(users.was_read(id));
    }
}

TEST_CASE("known users: a page has its range, and is known as read") {
    CHECK(known_users::page_of(0) == id_range{0, page - 1});
    CHECK(known_users::page_of(page - 1) == id_range{0, page - 1});
    CHECK(known_users::page_of(-1) == id_range{-page, -1});
    constexpr auto last = std::numeric_limits<std::int64_t>::max();
    CHECK(known_users::page_of(last) == id_range{last - page + 1, last});

    known_users users(1'000'000);
    users.add(7);
    users.add_page(std::vector<std::int64_t>{3, 5});
    CHECK(users.was_read(9));
    CHECK(users.contains(3));
    CHECK(users.contains(5));
    CHECK(users.contains(7));
    CHECK_FALSE(users.contains(4));
    CHECK_FALSE(users.was_read(page));
    users.add_page({});
    CHECK(users.pages() == 1);
}

TEST_CASE("known users: never holds more pages than its limit, and keeps what is asked for") {
    known_users users(100 * known_users::page_price);
    users.add_page(std::vector<std::int64_t>{1});
    for (std::int64_t id = 1; id <= 1'000 * page; id += page) {
        users.add(id);
        CHECK(users.contains(1));
        REQUIRE(users.pages() <= 100);
    }
    CHECK(users.was_read(1));
    CHECK(users.contains(999 * page + 1));
    CHECK_FALSE(users.contains(500 * page + 1));
}
