#pragma once

// Products that are held for payment, and what a client asks about such orders.

#include <catch2/catch.hpp>

#include <optional>
#include <string>

#include "shop.hpp"

namespace flashsale::test {

using namespace std::chrono_literals;

struct held_product {
    std::int64_t stock = 1;
    std::int64_t window_s = 3'600;
    std::int64_t price = 100;
    std::optional<std::int64_t> per_user_limit = {};
};

inline std::int64_t make_held_product(http_client& client, const held_product& of) {
    json::object body{{"name", "a held thing"},
                      {"price", of.price},
                      {"stock", of.stock},
                      {"payment_window_s", of.window_s}};
    if (of.per_user_limit) body["per_user_limit"] = *of.per_user_limit;
    const auto made = client.post("/v1/products", json::value(std::move(body)));
    REQUIRE(outcome(made) == "201");
    return made.json().at("id").as_int64();
}

inline std::string path_of(const std::string& order, const std::string& rest = {}) {
    return "/v1/orders/" + order + rest;
}

inline http_response pay(http_client& client, const std::string& order,
                         const std::string& key = {}) {
    http_client::headers headers;
    if (!key.empty()) headers.emplace_back("Idempotency-Key", key);
    return client.post(path_of(order, "/payments"), R"({"method":"balance"})", headers);
}

inline http_response cancel(http_client& client, const std::string& order,
                            const std::string& body = "{}") {
    return client.post(path_of(order, "/cancel"), body);
}

inline void deposit(http_client& client, std::int64_t user, std::int64_t amount) {
    REQUIRE(outcome(client.post("/v1/users/" + std::to_string(user) + "/deposits",
                                json::value{{"amount", amount}})) == "201");
}

inline std::int64_t balance(http_client& client, std::int64_t user) {
    return client.get("/v1/users/" + std::to_string(user)).json().at("balance").as_int64();
}

inline std::string status(http_client& client, const std::string& order) {
    return std::string(client.get(path_of(order)).json().at("order_status").as_string());
}

inline std::string text(const json::value& of, const char* member) {
    return std::string(of.at(member).as_string());
}

inline bool becomes_available(http_client& client, std::int64_t product, std::int64_t units) {
    return eventually(20s, [&] { return available(client, product) == units; });
}

inline http_response tell(http_client& client, const std::string& order,
                          const std::string& reference, std::int64_t amount,
                          const std::string& how = {}) {
    json::object body{{"method", "external"}, {"reference", reference}, {"amount", amount}};
    if (!how.empty()) body["status"] = how;
    return client.post(path_of(order, "/payments"), json::value(std::move(body)));
}

inline http_response refund(http_client& client, const std::string& order,
                            const std::string& body = "{}") {
    return client.post(path_of(order, "/refunds"), body);
}

/// Payments that belong to their buyers, as the operator sees them.
inline json::array owed(http_client& client) {
    return client.get("/v1/payments?status=refund_due").json().at("items").as_array();
}

}  // namespace flashsale::test
