#include <catch2/catch.hpp>

#include "message_codec.hpp"
#include "written_form.hpp"

using namespace flashsale;
using namespace flashsale::events;

namespace {

order_accepted order(std::uint64_t seq) {
    uuid_generator make;
    order_accepted what;
    what.id = make.make();
    what.user_id = 1;
    what.product_id = 2;
    what.quantity = 3;
    what.idempotency_key = "key";
    what.created_at = what.id.time();
    what.unit_price = 100;
    what.epoch = 1;
    what.seq = seq;
    return what;
}

/// As the gate gives it.
std::string event_text(std::uint64_t seq) {
    return granted_text(order(seq));
}

}  // namespace

TEST_CASE("message codec: events come out as they went in, in order") {
    message_builder body;
    CHECK(body.empty());
    for (std::uint64_t seq = 1; seq <= 300; ++seq)
        body.add(event_text(seq));
    const auto entries = decode_message(body.take());
    CHECK(body.empty());
    REQUIRE(entries.has_value());
    REQUIRE(entries->size() == 300);
    for (std::uint64_t seq = 1; seq <= 300; ++seq) {
        REQUIRE((*entries)[seq - 1].has_value());
        CHECK(std::get<order_accepted>(*(*entries)[seq - 1]).seq == seq);
    }
}

TEST_CASE("message codec: poison keeps its place and its bytes, the rest goes on") {
    const auto entries =
        decode_message("[" + event_text(1) + R"(,{"poison":true},7,)" + event_text(2) + "]");
    REQUIRE(entries.has_value());
    REQUIRE(entries->size() == 4);
    CHECK((*entries)[0].has_value());
    REQUIRE_FALSE((*entries)[1].has_value());
    CHECK((*entries)[1].error().text == R"({"poison":true})");
    CHECK_FALSE((*entries)[1].error().reason.empty());
    CHECK_FALSE((*entries)[2].has_value());
    CHECK((*entries)[3].has_value());
}

TEST_CASE("message codec: bytes that are no array of JSON are not taken apart") {
    for (const std::string& body : {std::string(), std::string("{}"), std::string("[1"),
                                    std::string("\xff\xfe"), "[" + event_text(1) + "]x"}) {
        CHECK_FALSE(decode_message(body).has_value());
    }
    CHECK(decode_message("[]")->empty());
}

TEST_CASE("message codec: an event as this program writes it is read as any JSON would be") {
    const std::string written = event_text(42);
    std::string_view left = written;
    const auto quick = take_written_form(left);
    REQUIRE(quick.has_value());
    CHECK(left.empty());
    const auto slow = parse(written);
    REQUIRE(slow.has_value());
    CHECK(text_of(*quick) == text_of(*slow));
}

TEST_CASE("message codec: an event with a currency of its own is read as any JSON would be") {
    order_accepted what = order(42);
    what.currency = *currency_code::parse("USD");
    std::string written = granted_text(what);
    std::string_view left = written;
    const auto quick = take_written_form(left);
    REQUIRE(quick.has_value());
    CHECK(left.empty());
    CHECK(quick->currency.text() == "USD");
    CHECK(text_of(*quick) == text_of(*parse(written)));
    written.replace(written.find("100USD"), 6, "100usd");
    left = written;
    CHECK_FALSE(take_written_form(left).has_value());
    CHECK_FALSE(parse(written).has_value());
}

TEST_CASE("message codec: an event of units that are held is read as any JSON would be") {
    for (const char* code : {"", "USD"}) {
        order_accepted what = order(42);
        what.currency = *currency_code::parse(code);
        what.payment_window_s = 300;
        std::string written = granted_text(what);
        std::string_view left = written;
        const auto quick = take_written_form(left);
        REQUIRE(quick.has_value());
        CHECK(left.empty());
        CHECK(quick->payment_window_s == 300);
        CHECK(text_of(*quick) == text_of(*parse(written)));
        written.replace(written.find("+300"), 4, "+0");
        left = written;
        CHECK_FALSE(take_written_form(left).has_value());
        CHECK_FALSE(parse(written).has_value());
    }
}

TEST_CASE("message codec: beside what is not in short, orders mean the same") {
    uuid_generator make;
    barrier mark;
    mark.id = make.make();
    mark.epoch = 9;
    mark.created_at = mark.id.time();
    stock_reduced reduction;
    static_cast<basic_units_taken<std::string>&>(reduction) = order(8);
    for (const event& beside : {event(mark), event(reduction), event(order(9))}) {
        const std::string written = event_text(42);
        const auto entries =
            decode_message("[" + written + "," + text_of(beside) + "," + written + "]");
        REQUIRE(entries.has_value());
        REQUIRE(entries->size() == 3);
        REQUIRE((*entries)[1].has_value());
        CHECK(text_of(*(*entries)[1]) == text_of(beside));
        for (const std::size_t i : {0u, 2u}) {
            REQUIRE((*entries)[i].has_value());
            CHECK(text_of(*(*entries)[i]) == text_of(*parse(written)));
        }
    }
}

TEST_CASE(
    "message codec: what is not exactly that is left to the general way, and means the same") {
    const std::string written = event_text(42);
    const std::string in_full = text_of(order(42));
    const auto in = [](std::string text, std::string_view from, std::string_view to) {
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };
    const auto changed = [&](std::string_view from, std::string_view to) {
        return in(written, from, to);
    };
    const auto full = [&](std::string_view from, std::string_view to) {
        return in(in_full, from, to);
    };
    const bool good = GENERATE(true, false);
    const std::vector<std::string> texts =
        good ? std::vector{changed("\"key\"", "\"k\\u00e9y\""),
                           changed("\"key\"", "\"k\xc3\xa9y\""),
                           changed(",42]", ", 42]"),
                           changed("]", ",[1,2]]"),
                           changed("[2,", "[ 2,"),
                           in_full,
                           full("}", ",\"later\":[1,2]}"),
                           full("\"version\":1,\"type\":\"order_accepted\"",
                                "\"type\":\"order_accepted\",\"version\":1")}
             : std::vector{changed(",1,2,3,", ",1,2,0,"),
                           changed(",1,2,3,", ",1,2,9007199254740992,"),
                           changed(",1,2,3,", ",-1,2,3,"),
                           changed(",1,2,3,", ",1,2.5,3,"),
                           changed(",1,2,3,", ",1,2,"),
                           changed("\"key\"", "\"\""),
                           changed("\"key\"", "\"" + std::string(256, 'k') + "\""),
                           changed(",42]", ",0]"),
                           changed(",42]", "]"),
                           changed("\"0", "\"x"),
                           changed("[2,", "[1,"),
                           full("\"shard\":0", "\"shard\":4096"),
                           full("\"created_at\":\"2", "\"created_at\":\"x")};
    for (const std::string& text : texts) {
        INFO(text);
        std::string_view left = text;
        CHECK_FALSE(take_written_form(left).has_value());
        CHECK(left == text);
        const auto entries = decode_message("[" + written + "," + text + "]");
        REQUIRE(entries.has_value());
        REQUIRE(entries->size() == 2);
        CHECK(entries->front().has_value());
        CHECK(entries->back().has_value() == parse(text).has_value());
        CHECK(entries->back().has_value() == good);
    }
    // What JSON does not allow is no message, however near it comes.
    CHECK_FALSE(decode_message("[" + changed(",1,2,3,", ",1,2,03,") + "]"));
    CHECK_FALSE(decode_message("[" + written + ",]"));
    CHECK_FALSE(decode_message("[" + written));
    CHECK_FALSE(decode_message(written + "]"));
    CHECK(decode_message("[]").has_value());
}
