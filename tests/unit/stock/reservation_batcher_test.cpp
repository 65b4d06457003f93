#include <catch2/catch.hpp>

#include "reservation_batcher.hpp"

using namespace flashsale;
using namespace flashsale::stock;

namespace {

waiting_reservation of_user(std::int64_t user) {
    waiting_reservation out;
    out.what.user_id = user;
    out.done = [](std::expected<accepted, errc>) {};
    return out;
}

std::vector<std::int64_t> users_of(const std::vector<waiting_reservation>& batch) {
    std::vector<std::int64_t> out;
    for (const auto& one : batch) out.push_back(one.what.user_id);
    return out;
}

}  // namespace

TEST_CASE("reservation batcher: what gathers while a batch is under way goes together, in order") {
    reservation_batcher batcher(1, {3, 1}, 100);
    REQUIRE(batcher.add(0, of_user(1)));
    CHECK(users_of(batcher.take(0)) == std::vector<std::int64_t>{1});
    for (std::int64_t user = 2; user <= 6; ++user) REQUIRE(batcher.add(0, of_user(user)));
    CHECK(batcher.take(0).empty());
    batcher.finished(0);
    CHECK(users_of(batcher.take(0)) == std::vector<std::int64_t>{2, 3, 4});
    batcher.finished(0);
    CHECK(users_of(batcher.take(0)) == std::vector<std::int64_t>{5, 6});
    batcher.finished(0);
    CHECK(batcher.take(0).empty());
    CHECK(batcher.waiting() == 0);
}

TEST_CASE("reservation batcher: shards do not wait for each other") {
    reservation_batcher batcher(2, {10, 1}, 100);
    REQUIRE(batcher.add(0, of_user(1)));
    REQUIRE(batcher.add(1, of_user(2)));
    CHECK(batcher.take(0).size() == 1);
    CHECK(batcher.take(1).size() == 1);
    REQUIRE(batcher.add(1, of_user(3)));
    CHECK(batcher.take(1).empty());
    batcher.finished(1);
    CHECK(batcher.take(1).size() == 1);
}

TEST_CASE("reservation batcher: beyond its limit nothing is taken over") {
    reservation_batcher batcher(1, {2, 1}, 2);
    REQUIRE(batcher.add(0, of_user(1)));
    REQUIRE(batcher.add(0, of_user(2)));
    auto third = of_user(3);
    CHECK_FALSE(batcher.add(0, std::move(third)));
    CHECK(static_cast<bool>(third.done));
    CHECK(batcher.take(0).size() == 2);
    CHECK(batcher.add(0, std::move(third)));
}

TEST_CASE("reservation batcher: a gate may have several batches under way") {
    reservation_batcher batcher(1, {1, 2}, 100);
    for (std::int64_t user = 1; user <= 3; ++user) REQUIRE(batcher.add(0, of_user(user)));
    CHECK(batcher.take(0).size() == 1);
    CHECK(batcher.take(0).size() == 1);
    CHECK(batcher.take(0).empty());
    batcher.finished(0);
    CHECK(batcher.take(0).size() == 1);
}
