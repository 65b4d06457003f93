// Sales: products under one set of rules, paused, ended, counted, and cancelled as a whole.

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "gates.hpp"
#include "held_orders.hpp"
#include "sales.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

std::string state(http_client& client, std::int64_t sale) {
    return text(client.get(sale_path(sale)).json(), "state");
}

http_response set(http_client& client, std::int64_t sale, const std::string& how) {
    return client.post(sale_path(sale, "/" + how), "{}");
}

}  // namespace

TEST_CASE("sales: a sale is paused, resumed and ended, each as often as asked") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto sale = make_sale(client, R"({"name":"Autumn","ends_at":"2999-01-01T00:00:00Z"})");
    const auto product = make_product_of(client, sale, 10);
    const auto shown = client.get(product_path(product)).json();
    CHECK(shown.at("sale_id").as_int64() == sale);
    CHECK(text(shown, "sale_ends_at") == "2999-01-01T00:00:00Z");
    CHECK(state(client, sale) == "open");
    REQUIRE(outcome(place_order(client, user, product, 1, "first")) == "201");

    for (int twice = 0; twice < 2; ++twice) {
        const auto paused = set(client, sale, "pause");
        REQUIRE(outcome(paused) == "200");
        CHECK(text(paused.json(), "state") == "paused");
        CHECK(paused.json().at("revision").as_int64() == 2);
    }
    CHECK(outcome(place_order(client, user, product, 1, "second")) == "409 sale_paused");
    CHECK(outcome(place_order(client, user, product, 1, "first")) == "201");
    CHECK(outcome(set(client, sale, "resume")) == "200");
    CHECK(outcome(place_order(client, user, product, 1, "second")) == "201");

    // Not begun yet, whatever was resumed.
    const auto later = patch(client, sale_path(sale), R"({"starts_at":"2998-01-01T00:00:00Z"})");
    REQUIRE(outcome(later) == "200");
    CHECK(text(later.json(), "state") == "scheduled");
    CHECK(outcome(place_order(client, user, product, 1, "third")) == "409 sale_not_open");
    CHECK(outcome(patch(client, sale_path(sale), R"({"starts_at":null})", "\"r1\"")) ==
          "412 revision_changed");
    CHECK(outcome(patch(client, sale_path(sale), R"({"starts_at":null})", later.header("etag"))) ==
          "200");

    for (int twice = 0; twice < 2; ++twice)
        REQUIRE(outcome(set(client, sale, "end")) == "200");
    CHECK(state(client, sale) == "ended");
    CHECK(outcome(place_order(client, user, product, 1, "third")) == "409 sale_ended");
    CHECK(outcome(set(client, sale, "resume")) == "409 sale_ended");
    CHECK(outcome(set(client, sale, "pause")) == "409 sale_ended");
    CHECK(outcome(patch(client, sale_path(sale), R"({"name":"Winter"})")) == "409 sale_ended");
    CHECK(outcome(client.post(
              "/v1/products",
              json::value{{"name", "late"}, {"price", 1}, {"stock", 1}, {"sale_id", sale}})) ==
          "409 sale_ended");
    CHECK(client.get("/v1/sales").json().at("items").as_array().size() == 1);
    CHECK(outcome(client.get(sale_path(sale + 1))) == "404 sale_not_found");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("sales: what is wrong is named") {
    const sandbox world(with_gate("memory"));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto sale = make_sale(client, R"({"name":"Autumn","per_user_limit":2})");
    const std::pair<const char*, const char*> bad[] = {
        {R"({"name":""})", "name"},
        {R"({"name":"A","ends_at":"2001-01-01T00:00:00Z"})", "ends_at"},
        {R"({"name":"A","starts_at":"2031-01-01T00:00:00Z","ends_at":"2030-01-01T00:00:00Z"})",
         "ends_at"},
        {R"({"name":"A","payment_window_s":0})", "payment_window_s"},
        {R"({"name":"A","per_user_limit":-1})", "per_user_limit"},
        {R"({"name":"A","stock":1})", "stock"},
    };
    for (const auto& [body, field] : bad)
        CHECK(field_of(client.post("/v1/sales", body)) == std::string("400 bad_request ") + field);
    const auto product = [&](json::object more) {
        more["name"] = "A";
        more["price"] = 1;
        more["stock"] = 1;
        return client.post("/v1/products", json::value(std::move(more)));
    };
    CHECK(field_of(product({{"sale_id", sale + 1}})) == "400 bad_request sale_id");
    CHECK(field_of(product({{"sale_id", sale}, {"payment_window_s", 9}})) ==
          "400 bad_request payment_window_s");
    CHECK(field_of(product({{"sale_id", sale}, {"sale_ends_at", "2999-01-01T00:00:00Z"}})) ==
          "400 bad_request sale_ends_at");
    const auto made = product({{"sale_id", sale}});
    REQUIRE(outcome(made) == "201");
    const auto id = made.json().at("id").as_int64();
    CHECK(field_of(patch(client, product_path(id), R"({"sale_ends_at":null})")) ==
          "400 bad_request sale_starts_at");
    CHECK(outcome(patch(client, sale_path(sale), R"({"per_user_limit":null})")) ==
          "409 sale_has_products");
    CHECK(outcome(patch(client, sale_path(sale), R"({"per_user_limit":3})")) == "200");
}

TEST_CASE("sales: a limit over the sale counts all of its products, live units alone") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto sale = make_sale(client, R"({"name":"Autumn","per_user_limit":3})");
    const auto one = make_product_of(client, sale, 10), two = make_product_of(client, sale, 10);
    const auto first = place_order(client, user, one, 2, "a");
    REQUIRE(outcome(first) == "201");
    CHECK(outcome(place_order(client, user, two, 2, "b")) == "409 purchase_limit");
    CHECK(outcome(place_order(client, user, two, 1, "b")) == "201");
    REQUIRE(outcome(cancel(client, order_id(first))) == "200");
    REQUIRE(becomes_available(client, one, 10));
    CHECK(outcome(place_order(client, user, two, 3, "c")) == "409 purchase_limit");
    CHECK(outcome(place_order(client, user, two, 2, "c")) == "201");
    CHECK(outcome(place_order(client, user, one, 1, "d")) == "409 purchase_limit");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("sales: after a pause nothing is granted, whichever process is asked") {
    const sandbox world(with_gate("redis"));
    const flashsale_process one(world), two(world);
    auto client = one.client(), other = two.client();
    const auto some = make_users(client, 40);
    // A load has a key for each turn, and more turns than there is time for.
    std::vector<std::int64_t> users;
    for (std::size_t turn = 0; turn < 200'000; ++turn)
        users.push_back(some[turn % some.size()]);
    const auto sale = make_sale(client, R"({"name":"Autumn"})");
    for (int round = 0; round < 5; ++round) {
        // Each time another product, of which no key has been used.
        const auto product = make_product_of(client, sale, 1'000'000);
        std::vector<std::unique_ptr<order_load>> loads;
        for (const auto* shop : {&one, &two})
            loads.push_back(std::make_unique<order_load>(*shop, users, product, 2));
        for (const auto& load : loads)
            REQUIRE(eventually(30s, [&] { return load->seen("201") >= 20; }));
        REQUIRE(outcome(set(round % 2 == 0 ? client : other, sale, "pause")) == "200");
        const std::int64_t left = available(client, product);
        for (const auto& load : loads) {
            const auto refused = load->seen("409 sale_paused");
            REQUIRE(eventually(30s, [&] { return load->seen("409 sale_paused") >= refused + 50; }));
        }
        for (const auto& load : loads)
            (void)load->stop();
        CHECK(available(other, product) == left);
        // What was granted is what is recorded: nothing came behind it.
        CHECK(eventually(30s, [&] {
            return client.get(product_path(product)).json().at("stock").as_int64() == left;
        }));
        CHECK(available(client, product) == left);
        REQUIRE(outcome(set(client, sale, "resume")) == "200");
    }
    CHECK(audit_fault(world) == "");
}

TEST_CASE("sales: pauses and resumes that meet each other are all done, and a vain cancel is not") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto sale = make_sale(client, R"({"name":"Autumn"})");
    const auto cancelled = client.post(sale_path(sale, "/cancel"), json::object{});
    CHECK(outcome(cancelled) == "400 bad_request");
    CHECK(text(client.get(sale_path(sale)).json(), "state") == "open");
    (void)make_product_of(client, sale, 10);
    std::atomic<int> others{0};
    const auto press = [&] {
        auto mine = shop.client();
        for (int i = 0; i < 40; ++i) {
            for (const char* what : {"pause", "resume"}) {
                const auto answer = outcome(set(mine, sale, what));
                if (answer != "200" && answer != "409 high_traffic") ++others;
            }
        }
    };
    {
        const std::jthread one(press), two(press), three(press);
    }
    CHECK(others == 0);
    CHECK(text(client.get(sale_path(sale)).json(), "state") != "ended");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("sales: a report adds up what was sold, paid and given back, and lists the orders") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto users = make_users(client, 3);
    const auto sale = make_sale(client, R"({"name":"=Autumn","payment_window_s":3600})");
    const auto one = make_product_of(client, sale, 10, 100);
    const auto two = make_product_of(client, sale, 20, 7);
    const auto paid = order_id(place_order(client, users[0], one, 2, "a"));
    const auto refunded = order_id(place_order(client, users[1], one, 1, "b"));
    const auto cancelled = order_id(place_order(client, users[2], two, 3, "c"));
    (void)place_order(client, users[2], two, 1, "d");
    REQUIRE(outcome(tell(client, paid, "r1", 200)) == "201");
    REQUIRE(outcome(tell(client, refunded, "r2", 100)) == "201");
    REQUIRE(outcome(refund(client, refunded)) == "201");
    REQUIRE(outcome(cancel(client, cancelled)) == "200");
    json::value report;
    REQUIRE(eventually(30s, [&] {
        report = client.get(sale_path(sale, "/report")).json();
        return report.at("orders").at("pending").as_int64() == 1 &&
               report.at("returned").as_int64() == 4;
    }));
    CHECK(report.at("given").as_int64() == 30);
    CHECK(report.at("orders").at("sold").as_int64() == 1);
    CHECK(report.at("units").at("sold").as_int64() == 2);
    CHECK(report.at("units").at("refunded").as_int64() == 1);
    CHECK(report.at("units").at("cancelled").as_int64() == 3);
    const auto& money = report.at("money").at(0);
    CHECK(money.at("turnover").as_int64() == 300);
    CHECK(money.at("refunds").as_int64() == 100);
    CHECK(money.at("revenue").as_int64() == 200);
    CHECK(report.at("products").as_array().size() == 2);
    CHECK(report.at("products").at(0).at("units").at("sold").as_int64() == 2);

    std::vector<std::string> ids;
    std::string cursor;
    do {
        const auto page = client
                              .get(sale_path(sale, "/orders?limit=1" +
                                                       (cursor.empty() ? "" : "&cursor=" + cursor)))
                              .json();
        for (const auto& each : page.at("items").as_array())
            ids.push_back(text(each, "id"));
        cursor = page.at("next_cursor").is_null() ? "" : text(page, "next_cursor");
    } while (!cursor.empty());
    CHECK(ids.size() == 4);
    const auto csv = client.get(sale_path(sale, "/orders"), {{"Accept", "text/csv"}});
    CHECK(csv.status == 200);
    CHECK(std::ranges::count(csv.body, '\n') == 5);
    for (const auto& id : ids)
        CHECK(csv.body.find(id) != std::string::npos);
    CHECK(field_of(client.get(sale_path(sale, "/orders?cursor=x"))) == "400 bad_request cursor");
    CHECK(outcome(client.get(sale_path(sale + 1, "/report"))) == "404 sale_not_found");
}

TEST_CASE("sales: cancelling a sale ends each of its orders once, and says what is owed") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const bool restock = GENERATE(false, true);
    const auto users = make_users(client, 3);
    const auto sale = make_sale(client, R"({"name":"Autumn","payment_window_s":3600})");
    const auto product = make_product_of(client, sale, 10);
    const auto from_balance = order_id(place_order(client, users[0], product, 2, "a"));
    const auto from_outside = order_id(place_order(client, users[1], product, 1, "b"));
    const auto pending = order_id(place_order(client, users[2], product, 3, "c"));
    deposit(client, users[0], 200);
    REQUIRE(outcome(pay(client, from_balance)) == "201");
    REQUIRE(outcome(tell(client, from_outside, "r", 100)) == "201");
    CHECK(outcome(client.get(sale_path(sale, "/cancellation"))) == "404 sale_not_cancelled");

    const std::string body = restock ? R"({"reason":"broken","restock":true})" : "{}";
    const auto begun = client.post(sale_path(sale, "/cancel"), body);
    REQUIRE(begun.status == 202);
    CHECK(client.post(sale_path(sale, "/cancel"), body).header("idempotent-replayed") == "true");
    CHECK(outcome(place_order(client, users[2], product, 1)) == "409 sale_ended");
    json::value job;
    REQUIRE(eventually(30s, [&] {
        job = client.get(sale_path(sale, "/cancellation")).json();
        return text(job, "state") == "done";
    }));
    CHECK(job.at("orders").at("cancelled").as_int64() == 1);
    CHECK(job.at("orders").at("refunded").as_int64() == 2);
    CHECK(status(client, from_balance) == "REFUNDED");
    CHECK(status(client, from_outside) == "REFUNDED");
    CHECK(status(client, pending) == "CANCELLED");
    CHECK(eventually(10s, [&] { return balance(client, users[0]) == 200; }));
    // What came from outside is the shop's to give back.
    const auto still = client.get(sale_path(sale, "/cancellation")).json();
    REQUIRE(still.at("owed").as_array().size() == 1);
    CHECK(still.at("owed").at(0).at("amount").as_int64() == 100);
    CHECK(becomes_available(client, product, restock ? 10 : 4));
    CHECK(audit_fault(world) == "");
}

TEST_CASE("sales: what a dead process leaves of a cancellation, another finishes") {
    const sandbox world(with_gate(redis_or_memory()));
    std::optional<flashsale_process> shop(std::in_place, world);
    std::int64_t sale = 0, product = 0;
    {
        auto client = shop->client();
        const auto users = make_users(client, 5);
        sale = make_sale(client, R"({"name":"Autumn"})");
        product = make_product_of(client, sale, 1'000);
        for (int i = 0; i < 300; ++i) {
            const auto key = "k" + std::to_string(i);
            REQUIRE(outcome(place_order(client, users[static_cast<std::size_t>(i) % 5], product, 1,
                                        key)) == "201");
        }
        REQUIRE(client.post(sale_path(sale, "/cancel"), R"({"restock":true})").status == 202);
    }
    shop->kill();
    shop.emplace(world);
    auto client = shop->client();
    CHECK(eventually(60s, [&] {
        return text(client.get(sale_path(sale, "/cancellation")).json(), "state") == "done";
    }));
    const auto job = client.get(sale_path(sale, "/cancellation")).json();
    CHECK(job.at("orders").at("cancelled").as_int64() == 300);
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM order_changes") == 300);
    CHECK(becomes_available(client, product, 1'000));
    CHECK(audit_fault(world) == "");
}
