// What the embedded configuration alone has to do: its gate is loaded anew by each start, and its
// log is all that stands between an answer and the record.

#include <catch2/catch.hpp>

#include <filesystem>
#include <set>

#include "scratch_folder.hpp"
#include "shop.hpp"
#include "sql.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

std::string order_path(const http_response& accepted) {
    return "/v1/orders/" + order_id(accepted);
}

}  // namespace

TEST_CASE("embedded: serve without --config makes ./flashsale-data, and says so") {
    const scratch_folder here;
    const process shop(
        {"bash", "-c",
         "cd '" + here.path().string() + "' && exec '" + flashsale_binary() + "' serve"},
        {{"FLASHSALE_HTTP__PORT", "0"}});
    REQUIRE(eventually(
        60s, [&] { return shop.output().find("listening on http://") != std::string::npos; }));
    CHECK(shop.output().find("no --config: the embedded configuration, with its data in " +
                             (here / "flashsale-data").string()) != std::string::npos);
    CHECK(std::filesystem::exists(here / "flashsale-data" / "order.db"));
}

TEST_CASE("embedded: what was sold, bought and keyed is known after a restart") {
    const sandbox world(composition::embedded);
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10, {.per_user_limit = 3});
    const auto path = "/v1/products/" + std::to_string(product);
    const auto first = place_order(client, user, product, 2, "key");
    REQUIRE(outcome(first) == "201");
    const http_client::headers delivery{{"Idempotency-Key", "delivery"}};
    const http_client::headers broken{{"Idempotency-Key", "broken"}};
    const flashsale::test::json::value five{{"quantity", 5}}, one{{"quantity", 1}};
    REQUIRE(client.post(path + "/restock", five, delivery).status == 200);
    REQUIRE(client.post(path + "/reduce-stock", one, broken).status == 200);
    REQUIRE(available(client, product) == 12);
    for (const int signal : {SIGTERM, SIGKILL}) {
        shop->kill(signal);
        REQUIRE(shop->wait(60s).has_value());
        shop.emplace(world);
        client = shop->client();
        CHECK(available(client, product) == 12);
        const auto again = place_order(client, user, product, 2, "key");
        CHECK(outcome(again) == "201");
        CHECK(order_id(again) == order_id(first));
        CHECK(again.header("idempotent-replayed") == "true");
        CHECK(outcome(place_order(client, user, product, 2, "other")) == "409 purchase_limit");
        CHECK(outcome(place_order(client, user, product, 1, "key")) ==
              "422 idempotency_key_reused");
        CHECK(client.post(path + "/restock", five, delivery).status == 200);
        CHECK(client.post(path + "/reduce-stock", one, broken).status == 200);
        CHECK(available(client, product) == 12);
        CHECK(client.get(order_path(first)).status == 200);
        CHECK(audit_fault(world) == "");
    }
}

TEST_CASE("embedded: a 201 is readable while nothing can be recorded, and recorded after a kill") {
    const sandbox world(composition::embedded);
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    std::vector<http_response> accepted;
    {
        const sqlite_write_lock held(world.folder() / "order.db");
        for (int i = 0; i < 20; ++i)
            accepted.push_back(place_order(client, user, product, 1));
        for (const auto& one : accepted) {
            REQUIRE(outcome(one) == "201");
            const auto read = client.get(order_path(one));
            CHECK(read.status == 200);
            CHECK(is_shown(client, one));
        }
        CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 0);
        const auto audit = world.flashsale({"audit"});
        INFO(audit.output);
        CHECK(audit.exit_code == 0);
        CHECK(audit.output.find("in outbox   20") != std::string::npos);
        shop->kill(SIGKILL);
        REQUIRE(shop->wait(60s) == 128 + SIGKILL);
    }
    shop.emplace(world);
    client = shop->client();
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 20);
    CHECK(available(client, product) == 80);
    for (const auto& one : accepted)
        CHECK(is_shown(client, one));
    CHECK(audit_fault(world) == "");
}
