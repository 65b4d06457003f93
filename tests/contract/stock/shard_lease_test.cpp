// Who looks after a shard.

#include <catch2/catch.hpp>

#include <flashsale/stock/recovery.hpp>
#include <thread>

#include "eventually.hpp"
#include "stock_record.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;
using namespace std::chrono_literals;

TEST_CASE("shard lease: one has it, for its time, or until he gives it back or another insists") {
    stock_record record(database_kind::postgres);
    uuid_generator make;
    const uuid first = make.make(), second = make.make();
    auto& session = *record.database.session();
    const auto take = [&](const uuid& who, std::chrono::milliseconds time, bool by_force = false) {
        const auto lease = lease_shard(session, 0, who, time, by_force);
        REQUIRE(lease.has_value());
        return lease->has_value();
    };
    CHECK(take(first, 1min));
    CHECK(take(first, 1min));
    CHECK_FALSE(take(second, 1min));
    REQUIRE(release_shard(session, 0, second).has_value());
    CHECK_FALSE(take(second, 1min));
    REQUIRE(release_shard(session, 0, first).has_value());
    CHECK(take(second, 1min));
    CHECK(take(first, 10ms, true));
    std::this_thread::sleep_for(50ms);
    CHECK(take(second, 1min));
}

TEST_CASE("shard lease: it ends with the session of who has it") {
    stock_record record(database_kind::postgres);
    uuid_generator make;
    const uuid first = make.make(), second = make.make();
    std::optional<postgres::session> holder(record.database.server());
    REQUIRE(lease_shard(*holder, 0, first, 1min, false)->has_value());
    auto& session = *record.database.session();
    CHECK_FALSE(lease_shard(session, 0, second, 1min, false)->has_value());
    holder.reset();
    CHECK(
        eventually(60s, [&] { return lease_shard(session, 0, second, 1min, false)->has_value(); }));
}
