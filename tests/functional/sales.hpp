#pragma once

// Sales, and changes of what is sold, as an operator makes them.

#include <catch2/catch.hpp>

#include <string>

#include "shop.hpp"

namespace flashsale::test {

/// With a method that http_client has no function for.
inline http_response send(http_client& client, const std::string& verb, const std::string& target,
                          const std::string& body = {}, const http_client::headers& extra = {}) {
    std::string bytes = verb + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    for (const auto& [name, value] : extra)
        bytes += name + ": " + value + "\r\n";
    if (!body.empty()) bytes += "Content-Type: application/json\r\n";
    bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    client.send_raw(bytes);
    return client.read_response();
}

inline http_response patch(http_client& client, const std::string& target, const std::string& body,
                           const std::string& if_match = "*") {
    return send(client, "PATCH", target, body, {{"If-Match", if_match}});
}

inline std::string product_path(std::int64_t id) {
    return "/v1/products/" + std::to_string(id);
}
inline std::string sale_path(std::int64_t id, const std::string& rest = {}) {
    return "/v1/sales/" + std::to_string(id) + rest;
}

inline std::int64_t make_sale(http_client& client, const std::string& body) {
    const auto made = client.post("/v1/sales", body);
    REQUIRE(outcome(made) == "201");
    return made.json().at("id").as_int64();
}

inline std::int64_t make_product_of(http_client& client, std::int64_t sale, std::int64_t stock,
                                    std::int64_t price = 100) {
    const auto made = client.post(
        "/v1/products",
        json::value{
            {"name", "a thing of a sale"}, {"price", price}, {"stock", stock}, {"sale_id", sale}});
    REQUIRE(outcome(made) == "201");
    return made.json().at("id").as_int64();
}

/// What is at fault in a 400.
inline std::string field_of(const http_response& answer) {
    const auto document = answer.json();
    const auto* field = document.as_object().if_contains("field");
    return outcome(answer) + " " + (field ? std::string(field->as_string()) : "-");
}

}  // namespace flashsale::test
