#include <catch2/catch.hpp>

#include "reserving/reservation_batcher.hpp"

using namespace flashsale;
using namespace flashsale::stock;

namespace {

/// False: refused, and nothing was taken over.
bool add(reservation_batcher& to, std::uint32_t shard, std::int64_t user) {
    reservation what;
    what.user_id = user;
    callback<std::expected<accepted, refusal>> done = [](std::expected<accepted, refusal>) {};
    const bool added = to.add(shard, what, std::move(done));
    CHECK(static_cast<bool>(done) != added);
    return added;
}

std::vector<std::int64_t> users_of(const reservation_batch& batch) {
    CHECK(batch.answers.size() == batch.size());
    std::vector<std::int64_t> out;
    for (const auto& one : batch.reservations)
        out.push_back(one.user_id);
    return out;
}

}  // namespace

TEST_CASE("reservation batcher: what gathers while a batch is under way goes together, in order") {
    reservation_batcher batcher(1, gate_batching({3, 1}), 100);
    REQUIRE(add(batcher, 0, 1));
    CHECK(users_of(batcher.take(0)) == std::vector<std::int64_t>{1});
    for (std::int64_t user = 2; user <= 6; ++user)
        REQUIRE(add(batcher, 0, user));
    CHECK(batcher.take(0).empty());
    batcher.finished(0);
    CHECK(users_of(batcher.take(0)) == std::vector<std::int64_t>{2, 3, 4});
    batcher.finished(0);
    CHECK(users_of(batcher.take(0)) == std::vector<std::int64_t>{5, 6});
    batcher.finished(0);
    CHECK(batcher.take(0).empty());
    CHECK(batcher.waiting(0) == 0);
}

TEST_CASE("reservation batcher: counts who waits, over full batches and the one being filled") {
    reservation_batcher batcher(2, gate_batching({4}), 100);
    for (std::int64_t user = 1; user <= 10; ++user) {
        REQUIRE(add(batcher, 0, user));
        CHECK(batcher.waiting(0) == static_cast<std::size_t>(user));
    }
    CHECK(batcher.waiting(1) == 0);
    batcher.take(0);
    CHECK(batcher.waiting(0) == 6);
}

TEST_CASE("reservation batcher: shards do not wait for each other") {
    reservation_batcher batcher(2, gate_batching({10, 1}), 100);
    REQUIRE(add(batcher, 0, 1));
    REQUIRE(add(batcher, 1, 2));
    CHECK(batcher.take(0).size() == 1);
    CHECK(batcher.take(1).size() == 1);
    REQUIRE(add(batcher, 1, 3));
    CHECK(batcher.take(1).empty());
    batcher.finished(1);
    CHECK(batcher.take(1).size() == 1);
}

TEST_CASE("reservation batcher: beyond its limit nothing is taken over") {
    reservation_batcher batcher(1, gate_batching({2, 1}), 2);
    REQUIRE(add(batcher, 0, 1));
    REQUIRE(add(batcher, 0, 2));
    CHECK_FALSE(add(batcher, 0, 3));
    CHECK(batcher.take(0).size() == 2);
    CHECK(add(batcher, 0, 3));
}

TEST_CASE("reservation batcher: a gate may have several batches under way") {
    reservation_batcher batcher(1, gate_batching({1, 2}), 100);
    for (std::int64_t user = 1; user <= 3; ++user)
        REQUIRE(add(batcher, 0, user));
    CHECK(batcher.take(0).size() == 1);
    CHECK(batcher.take(0).size() == 1);
    CHECK(batcher.take(0).empty());
    batcher.finished(0);
    CHECK(batcher.take(0).size() == 1);
}

TEST_CASE("reservation batcher: beside another goes only a batch that is worth its price") {
    reservation_batcher batcher(1, gate_batching({4, 2, 3}), 100);
    REQUIRE(add(batcher, 0, 1));
    CHECK(users_of(batcher.take(0)) == std::vector<std::int64_t>{1});  // alone: at once
    for (std::int64_t user = 2; user <= 3; ++user)
        REQUIRE(add(batcher, 0, user));
    CHECK(batcher.take(0).empty());
    REQUIRE(add(batcher, 0, 4));
    CHECK(users_of(batcher.take(0)) == std::vector<std::int64_t>{2, 3, 4});
    for (std::int64_t user = 5; user <= 8; ++user)
        REQUIRE(add(batcher, 0, user));
    CHECK(batcher.take(0).empty());  // two are under way
    batcher.finished(0);
    CHECK(users_of(batcher.take(0)) == std::vector<std::int64_t>{5, 6, 7, 8});
}
