// Every row of the API, and every refusal that a client can meet.

#include <catch2/catch.hpp>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;

namespace {

std::string product_path(std::int64_t id, const std::string& rest = {}) {
    return "/v1/products/" + std::to_string(id) + rest;
}

std::vector<std::string> ids_of(const http_response& page, const char* member) {
    std::vector<std::string> out;
    for (const auto& item : page.json().at("items").as_array()) {
        out.push_back(json::serialize(item.at(member)));
    }
    return out;
}

}  // namespace

TEST_CASE("api: users are made, read, and made once per key") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto made =
        client.post("/v1/users", R"({"username":"Zoë","balance":500})", {{"Idempotency-Key", "k"}});
    REQUIRE(made.status == 201);
    const auto id = made.json().at("id").as_int64();
    CHECK(made.header("location") == "/v1/users/" + std::to_string(id));
    CHECK(made.json().at("username").as_string() == "Zoë");
    CHECK(made.json().at("balance").as_int64() == 500);
    CHECK(client.get(made.header("location")).body == made.body);

    const auto again =
        client.post("/v1/users", R"({"username":"Zoë","balance":500})", {{"Idempotency-Key", "k"}});
    CHECK(again.status == 201);
    CHECK(again.body == made.body);
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(outcome(client.post("/v1/users", R"({"username":"Zoë"})", {{"Idempotency-Key", "k"}})) ==
          "422 idempotency_key_reused");
    CHECK(outcome(client.post("/v1/users", R"({"username":"Zoë"})")) == "409 username_taken");
    CHECK(outcome(client.get("/v1/users/999")) == "404 user_not_found");
    CHECK(outcome(client.get("/v1/users/abc")) == "404 user_not_found");
    CHECK(outcome(client.get("/v1/users/9223372036854775808")) == "404 user_not_found");
}

TEST_CASE("api: products are made, read, listed by pages, and made once per key") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const char* lamp = R"({"name":"Lamp","price":1999,"stock":10,"per_user_limit":2,
        "sale_starts_at":"2026-01-01T00:00:00Z","sale_ends_at":"2099-01-01T00:00:00+01:00"})";
    const auto made = client.post("/v1/products", lamp, {{"Idempotency-Key", "k"}});
    REQUIRE(made.status == 201);
    const auto id = made.json().at("id").as_int64();
    CHECK(made.json().at("sale_ends_at").as_string() == "2098-12-31T23:00:00Z");
    CHECK(made.json().at("available").as_int64() == 10);
    CHECK(client.get(made.header("location")).body == made.body);
    const auto again = client.post("/v1/products", lamp, {{"Idempotency-Key", "k"}});
    CHECK(again.body == made.body);
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(outcome(client.post("/v1/products", R"({"name":"Lamp","price":1,"stock":10})",
                              {{"Idempotency-Key", "k"}})) == "422 idempotency_key_reused");
    std::vector<std::string> all{std::to_string(id)};
    for (int i = 0; i < 4; ++i)
        all.push_back(std::to_string(make_product(client, i)));

    const auto first = client.get("/v1/products?limit=2");
    REQUIRE(first.status == 200);
    auto listed = ids_of(first, "id");
    CHECK(listed.size() == 2);
    const auto cursor = std::string(first.json().at("next_cursor").as_string());
    const auto rest = client.get("/v1/products?cursor=" + cursor + "&limit=100");
    for (const auto& one : ids_of(rest, "id"))
        listed.push_back(one);
    CHECK(listed == all);
    CHECK(rest.json().at("next_cursor").is_null());
    CHECK(outcome(client.get("/v1/products/999")) == "404 product_not_found");
    CHECK(client.get("/v1/products?limit=0").json().at("field").as_string() == "limit");
    CHECK(client.get("/v1/products?limit=101").json().at("field").as_string() == "limit");
    CHECK(client.get("/v1/products?page=2").json().at("field").as_string() == "page");
    CHECK(client.get("/v1/products?cursor=zz").json().at("field").as_string() == "cursor");
}

TEST_CASE("api: stock goes up and down by hand, once per key") {
    const std::string gate = every_gate();
    const sandbox world(with_gate(gate));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto id = make_product(client, 10);
    for (const std::string rest : {"/restock", "/reduce-stock"}) {
        const auto path = product_path(id, rest);
        const auto done = client.post(path, R"({"quantity":4})", {{"Idempotency-Key", "k"}});
        REQUIRE(done.status == 200);
        CHECK(done.json().at("quantity").as_int64() == 4);
        const auto again = client.post(path, R"({"quantity":4})", {{"Idempotency-Key", "k"}});
        CHECK(again.status == 200);
        CHECK(again.body == done.body);
        CHECK(again.header("idempotent-replayed") == "true");
        CHECK(outcome(client.post(path, R"({"quantity":5})", {{"Idempotency-Key", "k"}})) ==
              "422 idempotency_key_reused");
        CHECK(outcome(client.post(product_path(id + 1, rest), R"({"quantity":1})")) ==
              "404 product_not_found");
        const auto fault = client.post(path, R"({"quantity":0})");
        CHECK(outcome(fault) == "400 bad_request");
        CHECK(fault.json().at("field").as_string() == "quantity");
    }
    CHECK(available(client, id) == 10);
    CHECK(outcome(client.post(product_path(id, "/reduce-stock"), R"({"quantity":11})")) ==
          "400 out_of_stock");
    CHECK(audit_fault(world) == "");
    CHECK(client.get(product_path(id)).json().at("stock").as_int64() == 10);
    CHECK(world.number(sandbox::database::stock, "SELECT supplied FROM products") == 14);
}

TEST_CASE("api: orders are placed, read, and listed newest first by pages") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    std::vector<std::string> placed;
    for (int i = 0; i < 5; ++i) {
        const auto accepted = place_order(client, user, product, 1);
        REQUIRE(accepted.status == 201);
        CHECK(accepted.header("location") == "/v1/orders/" + order_id(accepted));
        CHECK(accepted.json().at("order_status").as_string() == "SUCCESS");
        CHECK(accepted.json().at("unit_price").as_int64() == 1'999);
        CHECK_FALSE(accepted.header("idempotency-key").empty());
        CHECK(is_shown(client, accepted));
        placed.insert(placed.begin(), "\"" + order_id(accepted) + "\"");
        // Ids are ordered by their milliseconds.
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    REQUIRE(audit_fault(world) == "");
    const std::string path = "/v1/users/" + std::to_string(user) + "/orders";
    CHECK(ids_of(client.get(path), "id") == placed);
    const auto first = client.get(path + "?limit=3");
    const auto cursor = std::string(first.json().at("next_cursor").as_string());
    auto paged = ids_of(first, "id");
    for (const auto& id : ids_of(client.get(path + "?limit=3&cursor=" + cursor), "id"))
        paged.push_back(id);
    CHECK(paged == placed);
    CHECK(outcome(client.get("/v1/users/999/orders")) == "404 user_not_found");
    CHECK(outcome(client.get("/v1/orders/01890a5d-ac96-7000-bcce-b302099a8057")) ==
          "404 order_not_found");
    CHECK(outcome(client.get("/v1/orders/1")) == "404 order_not_found");
    CHECK(outcome(client.get("/v1/nothing")) == "404 not_found");
    const auto wrong_method = client.get("/v1/orders");
    CHECK(outcome(wrong_method) == "405 method_not_allowed");
    CHECK(wrong_method.header("allow") == "POST, OPTIONS");
}

TEST_CASE("api: each refusal of an order is what it is, with the key to ask again") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 3, {.per_user_limit = 2});
    const auto closed = client
                            .post("/v1/products", R"({"name":"Later","price":1,"stock":1,
        "sale_starts_at":"2099-01-01T00:00:00Z"})")
                            .json()
                            .at("id")
                            .as_int64();
    const auto refused = [&](std::int64_t who, std::int64_t what, std::int64_t quantity) {
        const auto answer = place_order(client, who, what, quantity, "my-key");
        CHECK(answer.header("content-type") == "application/problem+json");
        CHECK(answer.header("idempotency-key") == "my-key");
        CHECK(answer.json().at("status").to_number<unsigned>() == answer.status);
        CHECK_FALSE(answer.json().at("request_id").as_string().empty());
        return outcome(answer);
    };
    CHECK(refused(user + 1, product, 1) == "404 user_not_found");
    CHECK(refused(user, product + 100, 1) == "404 product_not_found");
    CHECK(refused(user, product, 3) == "409 purchase_limit");
    CHECK(refused(user, closed, 1) == "409 sale_not_open");
    const auto other = make_user(client, "other");
    REQUIRE(place_order(client, user, product, 2, "my-key").status == 201);
    CHECK(refused(other, product, 2) == "400 out_of_stock");
    CHECK(refused(user, product, 1) == "422 idempotency_key_reused");

    // With each, what can be done about it.
    const auto asked = [&](std::int64_t who, std::int64_t what, std::int64_t quantity) {
        return place_order(client, who, what, quantity, "another-key").json();
    };
    CHECK(asked(other, product, 2).at("available") == 1);
    CHECK(asked(other, product, 3).at("allowed") == 2);
    CHECK(asked(user, product, 1).at("allowed") == 0);
    REQUIRE(place_order(client, other, product, 1, "last").status == 201);
    for (int i = 0; i < 2; ++i) {  // before and after it is known to be sold out
        CHECK(asked(make_user(client, "u" + std::to_string(i)), product, 1).at("available") == 0);
        const auto early = place_order(client, user, closed, 1);
        CHECK(early.json().at("sale") == "not_yet");
        CHECK(early.json().at("sale_starts_at") == "2099-01-01T00:00:00Z");
        CHECK(early.header("retry-after") == "3600");
    }
    const auto fewer = client.post("/v1/products/" + std::to_string(closed) + "/reduce-stock",
                                   R"({"quantity":2})");
    CHECK(outcome(fewer) == "400 out_of_stock");
    CHECK(fewer.json().at("available") == 1);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("api: a lost race of versions is 409 high_traffic, and stock stays unsold") {
    const sandbox world({{"FLASHSALE_STOCK__GATE", "database"}});
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    // As if another update came in between, every time: ours finds no row of its version.
    world.sql(sandbox::database::stock,
              "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
              "CREATE TRIGGER lose BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION lose()");
    CHECK(outcome(place_order(client, user, product, 1, "k")) == "409 high_traffic");
    CHECK(outcome(client.post(product_path(product, "/reduce-stock"), R"({"quantity":1})")) ==
          "409 high_traffic");
    world.sql(sandbox::database::stock, "DROP TRIGGER lose ON products");
    // A database that cannot write is no contention.
    world.sql(sandbox::database::stock,
              "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
              " 'BEGIN RAISE EXCEPTION USING ERRCODE = ''25006''; END';"
              "CREATE TRIGGER fail BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION fail()");
    CHECK(outcome(place_order(client, user, product, 1, "k")) == "503 dependency_unavailable");
    world.sql(sandbox::database::stock, "DROP TRIGGER fail ON products");
    CHECK(available(client, product) == 10);
    CHECK(outcome(place_order(client, user, product, 1, "k")) == "201");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("api: a full outbox is 503 overloaded, and sells again when it has drained") {
    const sandbox world({{"FLASHSALE_STOCK__OUTBOX_EVENTS_MAX", "2"}});
    const flashsale_process shop(world, {{"FLASHSALE_RECORDER__ENABLED", "false"}});
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    REQUIRE(place_order(client, user, product, 1).status == 201);
    REQUIRE(place_order(client, user, product, 1).status == 201);
    const auto full = place_order(client, user, product, 1, "k");
    CHECK(outcome(full) == "503 overloaded");
    CHECK_FALSE(full.header("retry-after").empty());
    CHECK(available(client, product) == 8);
    const flashsale_process writer(world);
    REQUIRE(audit_fault(world) == "");
    CHECK(outcome(place_order(client, user, product, 1, "k")) == "201");
}

TEST_CASE("api: health and metrics") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    CHECK(client.get("/livez").status == 200);
    CHECK(client.get("/readyz").status == 200);
    const auto verbose = client.get("/readyz?verbose");
    CHECK(verbose.status == 200);
    for (const char* name :
         {"gate", "log", "recorder", "user_database", "stock_database", "order_database"}) {
        CHECK(verbose.json().at("checks").at(name).as_string() == "ok");
    }
    const auto metrics = client.get("/metrics");
    CHECK(metrics.status == 200);
    CHECK(metrics.body.find("flashsale_reservations_accepted_total 0\n") != std::string::npos);
}
