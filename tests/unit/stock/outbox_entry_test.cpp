#include "redis/outbox_entry.hpp"

#include <catch2/catch.hpp>

#include "order_in.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using flashsale::stock::test::order_in;

TEST_CASE("outbox entry: a sale's event in full, and the key's spaces are its own") {
    uuid_generator make;
    const uuid id = make.make(5);
    std::string entry = "5 9007199254740993 2 1999 12 -3 ";
    add_key_field(entry, operation::sale, 7, "1 2 3: \"a\" 4 5 6 7 8");
    const auto event = order_in(event_of_entry(id, entry));
    CHECK(event.id == id);
    CHECK(event.shard == 5);
    CHECK(event.user_id == 7);
    CHECK(event.product_id == 9'007'199'254'740'993);
    CHECK(event.quantity == 2);
    CHECK(event.idempotency_key == "1 2 3: \"a\" 4 5 6 7 8");
    CHECK(event.created_at == id.time());
    CHECK(event.unit_price == 1999);
    CHECK(event.epoch == 12);
    CHECK(event.seq == 2);
}

TEST_CASE("outbox entry: a price may have a currency, and nothing else may") {
    uuid_generator make;
    const uuid id = make.make();
    const auto dollars = order_in(event_of_entry(id, "2 3 1 1999USD 2 40 s7:key"));
    CHECK(dollars.unit_price == 1'999);
    CHECK(dollars.currency.text() == "USD");
    CHECK(order_in(event_of_entry(id, "2 3 1 1999 2 40 s7:key")).currency.is_none());
    for (const char* wrong : {"2 3 1USD 1999 2 40 s7:key", "2 3 1 USD 2 40 s7:key",
                              "2 3 1 1999usd 2 40 s7:key", "2 3 1 -1 2 40 s7:key"})
        CHECK_FALSE(events::parse(event_of_entry(id, wrong)).has_value());
}

TEST_CASE("outbox entry: a price may say how long the units are held") {
    uuid_generator make;
    const uuid id = make.make();
    const auto held = order_in(event_of_entry(id, "2 3 1 1999USD+300 2 40 s7:key"));
    CHECK(held.unit_price == 1'999);
    CHECK(held.currency.text() == "USD");
    CHECK(held.payment_window_s == 300);
    CHECK(order_in(event_of_entry(id, "2 3 1 0+300 2 40 s7:key")).payment_window_s == 300);
    CHECK(order_in(event_of_entry(id, "2 3 1 1999 2 40 s7:key")).payment_window_s == 0);
    for (const char* wrong :
         {"2 3 1 1999+0 2 40 s7:key", "2 3 1 1999+ 2 40 s7:key", "2 3 1 1999+604801 2 40 s7:key",
          "2 3 1 1999+300USD 2 40 s7:key", "2 3 1+300 1999 2 40 s7:key"}) {
        INFO(wrong);
        CHECK_FALSE(events::parse(event_of_entry(id, wrong)).has_value());
    }
    // For a reduction no payment is waited for.
    const auto reduced = events::parse(event_of_entry(id, "2 3 1 1999USD+300 2 40 rkey"));
    REQUIRE(reduced.has_value());
    CHECK(std::get<events::stock_reduced>(*reduced).payment_window_s == 0);
}

TEST_CASE("outbox entry: a reduction has no user, and its key may begin like a sale's") {
    uuid_generator make;
    const uuid id = make.make();
    std::string entry = "1 3 10 0 1 41 ";
    add_key_field(entry, operation::reduction, 0, "s7:key");
    const auto event = events::parse(event_of_entry(id, entry));
    REQUIRE(event.has_value());
    const auto& reduced = std::get<events::stock_reduced>(*event);
    CHECK(reduced.id == id);
    CHECK(reduced.product_id == 3);
    CHECK(reduced.idempotency_key == "s7:key");
    CHECK(reduced.quantity == 10);
    CHECK(reduced.seq == 42);
}

TEST_CASE("outbox entry: with a number more, or one less, it is no other order") {
    uuid_generator make;
    const uuid id = make.make();
    const std::vector<std::string> numbers{"2", "3", "1", "999", "2", "40"};
    const auto is_event = [&](const std::vector<std::string>& all, const char* key_field) {
        std::string entry;
        for (const std::string& number : all)
            entry += number + ' ';
        return events::parse(event_of_entry(id, entry + key_field)).has_value();
    };
    for (const char* key_field : {"s7:a key", "ra key", "s7:1 2 3", "r1 2 3"}) {
        INFO(key_field);
        REQUIRE(is_event(numbers, key_field));
        for (std::size_t at = 0; at < numbers.size(); ++at) {
            auto more = numbers, less = numbers;
            more.insert(more.begin() + static_cast<std::ptrdiff_t>(at), "5");
            less.erase(less.begin() + static_cast<std::ptrdiff_t>(at));
            CHECK_FALSE(is_event(more, key_field));
            CHECK_FALSE(is_event(less, key_field));
        }
    }
}

TEST_CASE("outbox entry: what version 0.1 has left is read") {
    uuid_generator make;
    const uuid id = make.make(5);
    const auto in_this_form = [&](const char* entry) { return event_of_entry(id, entry); };
    CHECK(event_of_entry(id, "s7:1 2 3: \"a\" 4 5 6 7 8 3 2 1999USD 12 -3 5") ==
          in_this_form("5 3 2 1999USD 12 -3 s7:1 2 3: \"a\" 4 5 6 7 8"));
    CHECK(event_of_entry(id, "rs7:key 3 10 0 1 41 1") == in_this_form("1 3 10 0 1 41 rs7:key"));
    CHECK(events::parse(event_of_entry(id, "rs7:key 3 10 0 1 41 1")).has_value());
    for (const char* wrong : {"s7:k", "s7:k 1 2 3 4 5", "s7:k 1 2 3 4 5 x", "s7:k 1 2 3 4 5 ",
                              "x7:k 1 2 3 4 5 6", "s7 1 2 3 4 5 6", "sx:k 1 2 3 4 5 6"}) {
        INFO(wrong);
        CHECK(event_of_entry(id, wrong) == '"' + std::string(wrong) + '"');
    }
}

TEST_CASE("outbox entry: what is none comes back as it is, or as a JSON string") {
    uuid_generator make;
    const uuid id = make.make();
    for (const std::string bytes :
         {"", " ", "1 2 3 4 5 6", "1 2 3 4 5 s7:k", "1 2 3 4 5 6 ", "1 2 3 4 5 6 x7:k",
          "1 2 3 4 5 6 s7", "1 2 3 4 5 6 sx:k", "1 2 3 4 5 6 s:k", "1 2 3 4 5 x s7:k",
          " 1 2 3 4 5 6 s7:k", "-1 2 3 4 5 6 s7:k", "1 2 3 4 5 99999999999999999999 s7:k",
          R"({"version":2,"id":"a"})", "h1 2 3 4 5 6 7 s7:k", "h7:k 1 2 3 4 5 6"}) {
        INFO(bytes);
        const bool is_json = bytes.starts_with('{');
        CHECK(event_of_entry(id, bytes) == (is_json ? bytes : '"' + bytes + '"'));
    }
    const std::string odd = "s7:\"\xff\n";
    CHECK(boost::json::parse(event_of_entry(id, odd)).is_string());
}
