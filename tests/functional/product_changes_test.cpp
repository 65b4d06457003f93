// What a product is sold by, changed while it is sold.

#include <catch2/catch.hpp>

#include "gates.hpp"
#include "held_orders.hpp"
#include "sales.hpp"

using namespace flashsale::test;

TEST_CASE("product changes: a change is of the revision that was read, and holds from its answer") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto users = make_users(client, 4);
    const auto product = make_product(client, 10, {.price = 100, .per_user_limit = 3});
    const std::string path = product_path(product);
    const auto first = place_order(client, users[0], product, 2, "first");
    REQUIRE(outcome(first) == "201");

    const auto read = client.get(path);
    const std::string tag = read.header("etag");
    CHECK(tag.starts_with("\"r1"));
    CHECK(read.json().at("revision").as_int64() == 1);
    CHECK(outcome(send(client, "PATCH", path, R"({"price":120})")) == "428 if_match_required");
    CHECK(outcome(patch(client, path, R"({"price":120})", "\"r7\"")) == "412 revision_changed");
    CHECK(outcome(patch(client, path, R"({"price":120})", "W/" + tag)) == "412 revision_changed");
    CHECK(field_of(patch(client, path, R"({"price":120})", "r1")) == "400 bad_request If-Match");

    const auto changed = patch(client, path, R"({"price":120,"per_user_limit":2})", tag);
    REQUIRE(outcome(changed) == "200");
    CHECK(changed.header("etag") == "\"r2\"");
    CHECK(changed.json().at("price").as_int64() == 120);
    CHECK(changed.json().at("per_user_limit").as_int64() == 2);
    CHECK(text(changed.json(), "name") == text(read.json(), "name"));
    CHECK(outcome(patch(client, path, R"({"price":130})", tag)) == "412 revision_changed");

    const auto second = place_order(client, users[1], product, 1, "second");
    CHECK(second.json().at("unit_price").as_int64() == 120);
    CHECK(outcome(place_order(client, users[1], product, 2, "third")) == "409 purchase_limit");
    CHECK(outcome(place_order(client, users[0], product, 1, "more")) == "409 purchase_limit");
    const auto again = place_order(client, users[0], product, 2, "first");
    CHECK(again.json().at("unit_price").as_int64() == 100);
    CHECK(is_shown(client, first));

    const auto over = patch(client, path, R"({"sale_ends_at":"2001-01-01T00:00:00Z"})");
    REQUIRE(outcome(over) == "200");
    CHECK(outcome(place_order(client, users[2], product, 1, "over")) == "409 sale_not_open");
    REQUIRE(outcome(patch(client, path, R"({"sale_ends_at":null})")) == "200");
    CHECK(outcome(place_order(client, users[2], product, 1, "over")) == "201");
    CHECK(outcome(patch(client, path, R"({"per_user_limit":null})")) == "409 already_granted");
    CHECK(client.get(path).json().at("per_user_limit").as_int64() == 2);
    CHECK(outcome(place_order(client, users[2], product, 2, "two")) == "409 purchase_limit");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("product changes: what is wrong with a change is named, and nothing changes") {
    const sandbox world(with_gate("memory"));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto product = make_product(client, 10);
    const std::string path = product_path(product);
    const std::pair<const char*, const char*> bad[] = {
        {R"({"price":-1})", "price"},
        {R"({"price":9007199254740992})", "price"},
        {R"({"price":null})", "price"},
        {R"({"name":""})", "name"},
        {R"({"per_user_limit":0})", "per_user_limit"},
        {R"({"sale_starts_at":"soon"})", "sale_starts_at"},
        {R"({"sale_starts_at":"2030-01-02T00:00:00Z","sale_ends_at":"2030-01-01T00:00:00Z"})",
         "sale_ends_at"},
        {R"({"stock":11})", "stock"},
        {R"({"sale_id":1})", "sale_id"},
    };
    for (const auto& [body, field] : bad)
        CHECK(field_of(patch(client, path, body)) == std::string("400 bad_request ") + field);
    CHECK(outcome(patch(client, product_path(product + 1), R"({"price":1})")) ==
          "404 product_not_found");
    CHECK(client.get(path).json().at("revision").as_int64() == 1);
}

TEST_CASE("product changes: an unsold product is deleted, and a sold one archived") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "ada");
    const auto unsold = make_product(client, 10), sold = make_product(client, 10);
    const auto order = place_order(client, user, sold, 1, "k");
    REQUIRE(outcome(order) == "201");

    CHECK(send(client, "DELETE", product_path(unsold)).status == 204);
    CHECK(outcome(client.get(product_path(unsold))) == "404 product_not_found");
    CHECK(outcome(place_order(client, user, unsold, 1)) == "404 product_not_found");
    CHECK(outcome(client.post(product_path(unsold) + "/restock", R"({"quantity":1})")) ==
          "404 product_not_found");
    CHECK(outcome(client.post(product_path(unsold) + "/reduce-stock", R"({"quantity":1})")) ==
          "404 product_not_found");
    CHECK(outcome(send(client, "DELETE", product_path(unsold))) == "404 product_not_found");

    for (int twice = 0; twice < 2; ++twice) {
        const auto archived = send(client, "DELETE", product_path(sold));
        REQUIRE(outcome(archived) == "200");
        CHECK(archived.json().at("archived").as_bool());
    }
    CHECK(client.get(product_path(sold)).json().at("archived").as_bool());
    CHECK(client.get("/v1/products").json().at("items").as_array().empty());
    CHECK(outcome(place_order(client, user, sold, 1)) == "409 product_archived");
    CHECK(outcome(place_order(client, user, sold, 1, "k")) == "201");
    CHECK(is_shown(client, order));
    CHECK(outcome(patch(client, product_path(sold), R"({"price":1})")) == "409 product_archived");
    CHECK(audit_fault(world) == "");
}
