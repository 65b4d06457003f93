#include "outbox_entry.hpp"

#include <catch2/catch.hpp>
#include <flashsale/events/event.hpp>
#include <limits>

using namespace flashsale;
using namespace flashsale::stock;

TEST_CASE("outbox entry: a sale's event in full, and the key's spaces are its own") {
    uuid_generator make;
    const uuid id = make.make(5);
    std::string entry;
    add_key_field(entry, operation::sale, 7, "1 2 3: \"a\" 4 5 6 7 8");
    entry += " 9007199254740993 2 1999 12 -3 5";
    const auto event = events::parse(event_of_entry(id, entry));
    REQUIRE(event.has_value());
    CHECK(event->what == events::event::kind::order_accepted);
    CHECK(event->id == id);
    CHECK(event->shard == 5);
    CHECK(event->user_id == 7);
    CHECK(event->product_id == 9'007'199'254'740'993);
    CHECK(event->quantity == 2);
    CHECK(event->idempotency_key == "1 2 3: \"a\" 4 5 6 7 8");
    CHECK(event->created_at == id.time());
    CHECK(event->unit_price == 1999);
    CHECK(event->generation == 12);
    CHECK(event->seq == 2);
}

TEST_CASE("outbox entry: a price may have a currency, and nothing else may") {
    uuid_generator make;
    const uuid id = make.make();
    const auto event_of = [&](const char* entry) {
        return events::parse(event_of_entry(id, entry));
    };
    const auto event = event_of("s7:key 3 1 1999USD 2 40 2");
    REQUIRE(event.has_value());
    CHECK(event->unit_price == 1'999);
    CHECK(event->currency.text() == "USD");
    CHECK(event_of("s7:key 3 1 1999 2 40 2")->currency.is_none());
    for (const char* wrong : {"s7:key 3 1USD 1999 2 40 2", "s7:key 3 1 USD 2 40 2",
                              "s7:key 3 1 1999usd 2 40 2", "s7:key 3 1 -1 2 40 2"})
        CHECK_FALSE(event_of(wrong).has_value());
}

TEST_CASE("outbox entry: a reduction has no user, and its key may begin like a sale's") {
    uuid_generator make;
    const uuid id = make.make();
    std::string entry;
    add_key_field(entry, operation::reduction, 0, "s7:key");
    const auto event = events::parse(event_of_entry(id, entry + " 3 10 0 1 41 1"));
    REQUIRE(event.has_value());
    CHECK(event->what == events::event::kind::stock_reduced);
    CHECK(event->idempotency_key == "s7:key");
    CHECK(event->quantity == 10);
    CHECK(event->seq == 42);
}

TEST_CASE("outbox entry: what is none comes back as it is, or as a JSON string") {
    uuid_generator make;
    const uuid id = make.make();
    for (const std::string bytes :
         {"", " ", "s7:k", "s7:k 1 2 3 4 5", "s7:k 1 2 3 4 5 x", "s7:k 1 2 3 4 5 ",
          "x7:k 1 2 3 4 5 6", "s7 1 2 3 4 5 6", "sx:k 1 2 3 4 5 6", "s:k 1 2 3 4 5 6",
          R"({"version":2,"id":"a"})", "s7:k 1 2 3 4 5 99999999999999999999"}) {
        INFO(bytes);
        const bool is_json = bytes.starts_with('{');
        CHECK(event_of_entry(id, bytes) == (is_json ? bytes : '"' + bytes + '"'));
    }
    const std::string odd = "s7:\"\xff\n";
    CHECK(boost::json::parse(event_of_entry(id, odd)).is_string());
}
