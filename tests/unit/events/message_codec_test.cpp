#include <catch2/catch.hpp>

#include "message_codec.hpp"
#include "written_form.hpp"

using namespace flashsale;
using namespace flashsale::events;

namespace {

std::string event_text(std::uint64_t seq) {
    uuid_generator make;
    event what;
    what.id = make.make();
    what.user_id = 1;
    what.product_id = 2;
    what.quantity = 3;
    what.idempotency_key = "key";
    what.created_at = what.id.time();
    std::string text = open_event(what);
    close_event(text, 100, 1, seq);
    return text;
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
        CHECK((*entries)[seq - 1]->seq == seq);
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
    CHECK(text_of(*quick) == written);
}

TEST_CASE(
    "message codec: what is not exactly that is left to the general way, and means the same") {
    const std::string written = event_text(42);
    const auto changed = [&](std::string_view from, std::string_view to) {
        std::string text = written;
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };
    const bool good = GENERATE(true, false);
    const std::vector<std::string> texts =
        good ? std::vector{changed("\"key\"", "\"k\\u00e9y\""),
                           changed("\"key\"", "\"k\xc3\xa9y\""),
                           changed(",\"seq\"", ", \"seq\""),
                           changed("}", ",\"later\":[1,2]}"),
                           changed("\"quantity\":3", "\"quantity\": 3"),
                           changed("\"version\":1,\"type\":\"order_accepted\"",
                                   "\"type\":\"order_accepted\",\"version\":1")}
             : std::vector{changed("\"quantity\":3", "\"quantity\":0"),
                           changed("\"quantity\":3", "\"quantity\":9007199254740992"),
                           changed("\"key\"", "\"\""),
                           changed("\"seq\":42", "\"seq\":0"),
                           changed("\"shard\":0", "\"shard\":4096"),
                           changed("\"user_id\":1", "\"user_id\":-1"),
                           changed("\"key\"", "\"" + std::string(256, 'k') + "\""),
                           changed("\"id\":\"0", "\"id\":\"x"),
                           changed("\"created_at\":\"2", "\"created_at\":\"x")};
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
    CHECK_FALSE(decode_message("[" + changed("\"quantity\":3", "\"quantity\":03") + "]"));
    CHECK_FALSE(decode_message("[" + written + ",]"));
    CHECK_FALSE(decode_message("[" + written));
    CHECK_FALSE(decode_message(written + "]"));
    CHECK(decode_message("[]").has_value());
}
