// Bad input is refused with the field's name, changes nothing, and leaves the connection usable.

#include <catch2/catch.hpp>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;

namespace {

std::string field_of(const http_response& answer) {
    const auto body = answer.json();
    const auto* field = body.as_object().if_contains("field");
    return std::to_string(answer.status) + " " +
           (field ? std::string(field->as_string()) : answer.code());
}

}  // namespace

TEST_CASE("bad input: orders") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    make_user(client, "u");
    make_product(client, 10);
    const auto order = [&](std::string_view body) {
        return field_of(client.post("/v1/orders", body));
    };

    for (const std::string& broken :
         {std::string(), std::string("{"),
          std::string(R"({"user_id":1,"product_id":1,"quantity":1}x)"), std::string("\xff\xfe"),
          std::string(1'000, '[') + std::string(1'000, ']'),
          std::string(R"({"user_id":1,"user_id":1,"product_id":1,"quantity":1})")}) {
        CHECK(outcome(client.post("/v1/orders", broken)) == "400 malformed_json");
        CHECK(order(broken) == "400 body");
    }
    CHECK(order(R"([1])") == "400 body");
    CHECK(order(R"("text")") == "400 body");
    CHECK(order(R"({"product_id":1,"quantity":1})") == "400 user_id");
    CHECK(order(R"({"user_id":1,"quantity":1})") == "400 product_id");
    CHECK(order(R"({"user_id":1,"product_id":1})") == "400 quantity");
    CHECK(order(R"({"user_id":1,"product_id":1,"quantity":1,"price":1})") == "400 price");
    for (const char* wrong : {"0", "-1", "9007199254740992", "9223372036854775808", "1e400", "1.5",
                              "1.0", "\"1\"", "true", "null", "[1]", "{}"}) {
        INFO(wrong);
        const std::string body =
            std::string(R"({"user_id":1,"product_id":1,"quantity":)") + wrong + "}";
        const auto answer = client.post("/v1/orders", body);
        CHECK(answer.status == 400);
        if (answer.code() != "malformed_json") CHECK(field_of(answer) == "400 quantity");
    }
    for (const char* field : {"user_id", "product_id"}) {
        for (const char* wrong :
             {"0", "-1", "9223372036854775808", "18446744073709551616", "\"1\""}) {
            INFO(field << " " << wrong);
            json::object body{{"user_id", 1}, {"product_id", 1}, {"quantity", 1}};
            std::string text = json::serialize(body);
            const std::string from = std::string("\"") + field + "\":1";
            text.replace(text.find(from), from.size(), std::string("\"") + field + "\":" + wrong);
            CHECK(order(text) == std::string("400 ") + field);
        }
    }
    CHECK(client.get("/v1/products/1").json().at("available").as_int64() == 10);
    CHECK(outcome(place_order(client, 1, 1, 1)) == "201");  // on the same connection
}

TEST_CASE("bad input: users and products") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = [&](std::string_view body) {
        return field_of(client.post("/v1/users", body));
    };
    CHECK(user(R"({})") == "400 username");
    CHECK(user(R"({"username":""})") == "400 username");
    CHECK(user(R"({"username":"a\u0000b"})") == "400 username");
    CHECK(user(R"({"username":")" + std::string(101, 'a') + "\"}") == "400 username");
    CHECK(user(R"({"username":7})") == "400 username");
    for (const char* wrong :
         {" ", " a", "a ", "\\u3000", "a\\u200bb", "a\\u202eb", "a\\ufffeb", "a\\u0378b",
          "a\\ue000b", "a\\u0085b", "a\\u00a0b", "\\ud83d\\udc68\\u200d\\ud83d\\udc69"}) {
        INFO(wrong);
        CHECK(user(R"({"username":")" + std::string(wrong) + "\"}") == "400 username");
    }
    CHECK(user(R"({"username":"\ud800"})") == "400 body");
    const auto told = client.post("/v1/users", R"({"username":"a\u200bb"})").body;
    CHECK(told.find("username: 1 to 100 characters") != std::string::npos);
    CHECK(told.find("character 2, U+200B, is invisible") != std::string::npos);
    CHECK(outcome(client.post("/v1/users", "{\"username\":\"\xc3\x28\"}")) == "400 malformed_json");
    CHECK(user(R"({"username":"a","balance":-1})") == "400 balance");
    CHECK(user(R"({"username":"a","balance":9223372036854775808})") == "400 balance");
    CHECK(user(R"({"username":"a","balance":9007199254740992})") == "400 balance");
    CHECK(user(R"({"username":"a","admin":true})") == "400 admin");
    CHECK(world.number(sandbox::database::user, "SELECT count(*) FROM users") == 0);

    const auto product = [&](std::string_view extra) {
        return field_of(client.post("/v1/products", "{" + std::string(extra) + "}"));
    };
    CHECK(product(R"("price":1,"stock":1)") == "400 name");
    CHECK(product(R"("name":"n","stock":1)") == "400 price");
    for (const char* wrong :
         {"", " ", " n", "n ", "\\u00a0n", "a\\u200bb", "a\\u202eb", "a\\ufffeb", "a\\u0378b",
          "a\\ue000b", "a\\u0085b", "a\\u2028b", "a\\u200db", "a\\ufe0fb"}) {
        INFO(wrong);
        CHECK(product(R"("price":1,"stock":1,"name":")" + std::string(wrong) + "\"") == "400 name");
    }
    CHECK(product(R"("name":")" + std::string(201, 'n') + R"(","price":1,"stock":1)") ==
          "400 name");
    CHECK(product(R"("name":"n","price":-1,"stock":1)") == "400 price");
    CHECK(product(R"("name":"n","price":9223372036854775808,"stock":1)") == "400 price");
    CHECK(product(R"("name":"n","price":9007199254740992,"stock":1)") == "400 price");
    CHECK(product(R"("name":"n","price":1,"stock":-1)") == "400 stock");
    CHECK(product(R"("name":"n","price":1,"stock":9007199254740992)") == "400 stock");
    CHECK(product(R"("name":"n","price":1,"stock":1,"per_user_limit":0)") == "400 per_user_limit");
    for (const char* wrong :
         {"0", "-1", "604801", "4294967596", "1.5", "\"300\"", "true", "[300]"}) {
        INFO(wrong);
        CHECK(product(R"("name":"n","price":1,"stock":1,"payment_window_s":)" +
                      std::string(wrong)) == "400 payment_window_s");
    }
    CHECK(product(R"("name":"n","price":1,"stock":1,"sale_starts_at":"soon")") ==
          "400 sale_starts_at");
    CHECK(
        product(
            R"("name":"n","price":1,"stock":1,"sale_starts_at":"2026-01-02T00:00:00Z","sale_ends_at":"2026-01-01T00:00:00Z")") ==
        "400 sale_ends_at");
    // What is out of range counts in UTC.
    for (const char* name : {"sale_starts_at", "sale_ends_at"}) {
        for (const char* time :
             {"9999-12-31T23:59:59-01:00", "1970-01-01T00:00:00+01:00", "1969-12-31T23:59:59Z"}) {
            CHECK(product(R"("name":"n","price":1,"stock":1,")" + std::string(name) + R"(":")" +
                          time + "\"") == "400 " + std::string(name));
        }
    }
    CHECK(product(R"("name":"n","price":1,"stock":1,"sale_ends_at":"2026-01-01T00:00:00Z")") ==
          "400 sale_ends_at");
    CHECK(world.number(sandbox::database::stock, "SELECT count(*) FROM products") == 0);
}

TEST_CASE("bad input: deposits and pages of entries") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const std::string user = "/v1/users/" + std::to_string(make_user(client, "u"));
    const auto deposit = [&](std::string_view body) {
        return field_of(client.post(user + "/deposits", body));
    };
    CHECK(deposit("") == "400 body");
    CHECK(deposit("[1]") == "400 body");
    CHECK(deposit(R"({"amount":1,"amount":1})") == "400 body");
    CHECK(deposit("{}") == "400 amount");
    CHECK(deposit(R"({"amount":1,"kind":"starting"})") == "400 kind");
    for (const char* wrong : {"0", "-1", "9007199254740992", "9223372036854775808", "1.5", "1.0",
                              "\"1\"", "true", "null", "[1]", "{}"}) {
        INFO(wrong);
        CHECK(deposit(R"({"amount":)" + std::string(wrong) + "}") == "400 amount");
    }
    for (const char* id : {"999", "0", "-1", "abc", "9223372036854775808"}) {
        INFO(id);
        const std::string unknown = "/v1/users/" + std::string(id);
        CHECK(outcome(client.post(unknown + "/deposits", R"({"amount":1})")) ==
              "404 user_not_found");
        CHECK(outcome(client.get(unknown + "/entries")) == "404 user_not_found");
        CHECK(outcome(client.get(unknown + "/entries", {{"Accept", "text/csv"}})) ==
              "404 user_not_found");
    }
    for (const char* query :
         {"limit=0", "limit=101", "cursor=zz", "cursor=0", "cursor=a-b", "page=2"}) {
        INFO(query);
        const std::string name(query, std::string_view(query).find('='));
        CHECK(field_of(client.get(user + "/entries?" + query)) == "400 " + name);
    }
    CHECK(field_of(client.get(user + "/entries?limit=1", {{"Accept", "text/csv"}})) == "400 limit");
    CHECK(client.get(user).json().at("balance").as_int64() == 0);
    CHECK(world.number(sandbox::database::user, "SELECT count(*) FROM balance_entries") == 0);
}

TEST_CASE("bad input: keys, headers, bodies and framing") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    const auto with_key = [&](const std::string& key) {
        return field_of(client.post(
            "/v1/orders", json::value{{"user_id", user}, {"product_id", product}, {"quantity", 1}},
            {{"Idempotency-Key", key}}));
    };
    CHECK(with_key(std::string(256, 'k')) == "400 Idempotency-Key");
    CHECK(with_key("two words") == "400 Idempotency-Key");
    CHECK(available(client, product) == 10);
    CHECK(outcome(place_order(client, user, product, 1, std::string(255, 'k'))) == "201");
    CHECK(place_order(client, user, product, 1, std::string(255, 'k'))
              .header("idempotent-replayed") == "true");

    CHECK(field_of(client.post("/v1/orders", "{}", {{"Content-Type", "text/plain"}})) ==
          "415 Content-Type");
    CHECK(outcome(client.get("/livez")) == "200");

    const auto raw = [&](const std::string& bytes) {
        auto other = shop.client();
        other.send_raw(bytes);
        return outcome(other.read_response());
    };
    CHECK(raw("POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n") ==
          "413 body_too_large");
    CHECK(raw("GET /livez HTTP/1.1\r\nHost: x\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n") ==
          "431 headers_too_large");
    CHECK(raw("GET /" + std::string(3'000, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n") ==
          "414 uri_too_long");
    CHECK(raw("POST /v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n") ==
          "501 not_implemented");
    CHECK(raw("POST /v1/orders HTTP/1.1\r\nHost: x\r\n\r\n") == "411 length_required");
    CHECK(raw("NONSENSE\r\n\r\n").starts_with("400"));
    CHECK(audit_fault(world) == "");
}
