// Barriers in the queue: what is before one is recorded before it. Fences in the databases: what is
// of an older epoch is not recorded unasked.

#include <catch2/catch.hpp>
#include <flashsale/events/event.hpp>

#include "publish.hpp"
#include "shop.hpp"

using namespace flashsale::test;
namespace events = flashsale::events;
using namespace std::chrono_literals;

namespace {

/// Events that no gate has granted: the reconciler would have its gate rebuilt.
const environment no_reconciling{{"FLASHSALE_RECORDER__ENABLED", "false"},
                                 {"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "60000"}};

struct foreign_events {
    std::int64_t user = 0, product = 0;
    flashsale::uuid_generator make;

    events::order_accepted order(std::uint64_t epoch, const std::string& key) {
        events::order_accepted out;
        out.id = make.make();
        out.user_id = user;
        out.product_id = product;
        out.quantity = 1;
        out.idempotency_key = key;
        out.created_at = out.id.time();
        out.epoch = epoch;
        out.seq = 1'000;
        return out;
    }

    events::barrier barrier(std::uint64_t epoch, std::uint32_t shard = 0) {
        events::barrier out;
        out.id = make.make(shard);
        out.shard = shard;
        out.epoch = epoch;
        out.created_at = out.id.time();
        return out;
    }
};

std::string keys_in(const sandbox& world, const std::string& query) {
    std::string all;
    for (const auto& row : world.sql(sandbox::database::order, query))
        all += *row[0] + " ";
    return all;
}

}  // namespace

TEST_CASE("barrier: what is before it is recorded before it, and what is behind it still") {
    const sandbox world(no_reconciling);
    foreign_events make;
    {
        const flashsale_process shop(world);
        auto client = shop.client();
        make.user = make_user(client, "u");
        make.product = make_product(client, 100);
    }
    const std::string body = "[" + text_of(make.order(7, "before")) + "," +
                             text_of(make.barrier(8, 1)) + "," + text_of(make.barrier(8)) + "," +
                             text_of(make.order(7, "behind")) + "]";
    publish(world, body);
    publish(world, body);
    const flashsale_process recorder(world, {{"FLASHSALE_RECORDER__ENABLED", "true"}});
    CHECK(eventually(60s, [&] {
        return keys_in(world, "SELECT idempotency_key FROM orders ORDER BY 1") == "before behind ";
    }));
    CHECK(eventually(60s, [&] {  // they come after the orders
        return keys_in(world, "SELECT shard || ':' || epoch FROM barriers ORDER BY shard") ==
               "0:8 1:8 ";
    }));
}

TEST_CASE("fence: what is older is not recorded unasked, by whoever records") {
    const sandbox world(no_reconciling);
    foreign_events make;
    {
        const flashsale_process shop(world);
        auto client = shop.client();
        make.user = make_user(client, "u");
        make.product = make_product(client, 100);
    }
    const auto kept = [&] {
        return world.number(sandbox::database::order, "SELECT count(*) FROM late");
    };
    {
        const flashsale_process recorder(world, {{"FLASHSALE_RECORDER__ENABLED", "true"}});
        publish(world, "[" + text_of(make.order(7, "before")) + "]");
        CHECK(eventually(60s, [&] {
            return keys_in(world, "SELECT idempotency_key FROM orders") == "before ";
        }));
        for (const auto database : {sandbox::database::order, sandbox::database::stock})
            world.sql(database, "INSERT INTO fences VALUES (0, 8)");
        events::stock_reduced reduction;
        static_cast<events::basic_units_taken<std::string>&>(reduction) =
            make.order(7, "reduced, late");
        auto elsewhere = make.order(7, "another shard's");
        elsewhere.shard = 1;
        publish(world, "[" + text_of(make.order(7, "late")) + "," + text_of(elsewhere) + "," +
                           text_of(reduction) + "," + text_of(make.order(8, "new")) + "]");
        CHECK(eventually(60s, [&] { return kept() == 2; }));
        CHECK(keys_in(world, "SELECT idempotency_key FROM orders ORDER BY 1") ==
              "another shard's before new ");
    }
    publish(world, "[" + text_of(make.order(7, "late, another recorder")) + "]");
    const flashsale_process next(world, {{"FLASHSALE_RECORDER__ENABLED", "true"}});
    CHECK(eventually(60s, [&] { return kept() == 3; }));
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 3);
    CHECK(world.number(sandbox::database::stock,
                       "SELECT count(*) FROM movements WHERE kind = 'reduction'") == 0);
}
