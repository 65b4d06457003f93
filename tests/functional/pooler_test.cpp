// A sale with PostgreSQL behind pgbouncer.

#include "pooler.hpp"

#include <catch2/catch.hpp>

#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

/// What is started in this world from now on goes through it.
void put_before(sandbox& world, const pooler& between) {
    for (const auto& [which, name] :
         {std::pair{sandbox::database::user, "USER"}, std::pair{sandbox::database::stock, "STOCK"},
          std::pair{sandbox::database::order, "ORDER"}}) {
        world.set(std::string("FLASHSALE_POSTGRES__") + name + "_URL",
                  between.through(world.url(which)));
    }
}

}  // namespace

TEST_CASE("pooler: by the session: migrates, sells, rebuilds, starts again, audits") {
    const pooler between("session");
    sandbox world;
    put_before(world, between);
    CHECK(world.flashsale({"migrate"}).exit_code == 0);
    std::int64_t user = 0, product = 0;
    for (int start = 1; start <= 2; ++start) {
        flashsale_process shop(world);
        auto client = shop.client();
        if (start == 1) {
            user = make_user(client, "u");
            product = make_product(client, 20);
        }
        for (int i = 0; i < 5; ++i) {
            const auto answer = place_order(client, user, product, 1);
            INFO(answer.body);
            CHECK(outcome(answer) == "201");
        }
        if (start == 1) {
            const auto rebuilt = world.rebuild();
            INFO(rebuilt.output);
            CHECK(rebuilt.exit_code == 0);
            CHECK(eventually(
                60s, [&] { return outcome(place_order(client, user, product, 1)) == "201"; }));
        }
        CHECK(audit_fault(world) == "");
        CHECK(shop.terminate() == 0);
    }
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 11);
}

TEST_CASE("pooler: by the transaction: every command that needs it is refused, with the reason") {
    const pooler between("transaction");
    sandbox world;
    put_before(world, between);
    for (const std::string command : {"serve", "migrate"}) {
        const auto refused = world.flashsale({command});
        INFO(refused.output);
        CHECK(refused.exit_code == 3);
        CHECK(refused.last_line().find("postgres.user_url") != std::string::npos);
        CHECK(refused.last_line().find("hands out connections by the transaction") !=
              std::string::npos);
    }
}
