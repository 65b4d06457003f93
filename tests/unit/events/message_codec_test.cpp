#include <catch2/catch.hpp>

#include "message_codec.hpp"

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
    for (std::uint64_t seq = 1; seq <= 300; ++seq) body.add(event_text(seq));
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
    const auto entries = decode_message("[" + event_text(1) + R"(,{"poison":true},7,)" + event_text(2) + "]");
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
