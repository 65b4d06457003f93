// A rebuild over ports that have no servers behind them: what it asks of them, and when.

#include <catch2/catch.hpp>

#include <flashsale/recovery/rebuilder.hpp>

#include <algorithm>

#include "played_record.hpp"
#include "unasked_gate.hpp"

using namespace flashsale;
using namespace flashsale::test;

namespace {

struct played_shard {
    history all;
    played_registry registry{all};
    played_products products;
    played_order_database order_database{all};
    played_orders orders;
    played_gate_admin server{all};
    unasked_gate gate;
    stock::shard_epochs epochs{1};
    played_log log{all};
    played_publisher publisher{all};
    played_pacing timing{all};
    uuid_generator ids;
    recovery::options with{.confirm_deadline = 2s};

    std::expected<recovery::rebuilt, std::string> rebuild() {
        const recovery::ports uses{.registry = registry,
                                   .products = products,
                                   .ledger = products,
                                   .order_database = order_database,
                                   .orders = orders,
                                   .late = order_database,
                                   .gates = {&server},
                                   .gate = gate,
                                   .epochs = epochs,
                                   .log = log,
                                   .publisher = publisher,
                                   .timing = timing,
                                   .make_id = [this](std::uint32_t of) { return ids.make(of); }};
        return recovery::rebuild(uses, with, 0, ids.make());
    }
    bool was_asked(std::string_view what) const {
        return std::ranges::any_of(all.lines, [&](const auto& one) { return one.what == what; });
    }
};

}  // namespace

TEST_CASE("rebuild: each port is asked once, in the order of the fence") {
    played_shard shard;
    const auto opened = shard.rebuild();
    REQUIRE(opened.has_value());
    CHECK(opened->epoch == 5);
    CHECK(shard.all.names() == std::vector<std::string>{"raise", "unbind", "prove", "close", "bind",
                                                        "barrier", "order fence", "stock fence",
                                                        "begin", "load orders", "load orders",
                                                        "load orders", "load products", "mark open",
                                                        "open"});
}

TEST_CASE("rebuild: the token is bound when the confirm deadline has passed since the unbinding") {
    played_shard shard;
    REQUIRE(shard.rebuild().has_value());
    CHECK(shard.all.of("bind").at - shard.all.of("unbind").at >= shard.with.confirm_deadline);
}

TEST_CASE("rebuild: nothing is fenced or loaded before the barrier is recorded") {
    played_shard shard;
    shard.order_database.records_barriers_from = shard.all.now + 4s;
    REQUIRE(shard.rebuild().has_value());
    for (const char* step : {"order fence", "begin", "load products"})
        CHECK(shard.all.of(step).at >= shard.order_database.records_barriers_from);
}

TEST_CASE("rebuild: an attempt that is not the newest opens nothing") {
    played_shard shard;
    shard.registry.newest = false;
    CHECK_FALSE(shard.rebuild().has_value());
    CHECK_FALSE(shard.was_asked("open"));
}

TEST_CASE("rebuild: a record that does not add up is not opened, and what was loaded goes") {
    played_shard shard;
    shard.server.free = 11;
    CHECK_FALSE(shard.rebuild().has_value());
    CHECK_FALSE(shard.was_asked("mark open"));
    CHECK_FALSE(shard.was_asked("open"));
    CHECK(shard.was_asked("remove own"));
}
