#include "reply_reader.hpp"

#include <catch2/catch.hpp>

using flashsale::redis::reply_reader;
using flashsale::redis::value;

namespace {

constexpr std::string_view conversation =
    "+OK\r\n:-42\r\n$-1\r\n$5\r\nhello\r\n$0\r\n\r\n-ERR no\r\n"
    "*4\r\n:1\r\n$3\r\na\r\n\r\n*2\r\n$-1\r\n*0\r\n-ERR inside\r\n*-1\r\n";

void check_conversation(const std::vector<reply_reader::reply>& replies) {
    REQUIRE(replies.size() == 8);
    CHECK(replies[0].content.kind == value::type::string);
    CHECK(replies[0].content.text == "OK");
    CHECK(replies[1].content.kind == value::type::integer);
    CHECK(replies[1].content.integer == -42);
    CHECK(replies[2].content.kind == value::type::nil);
    CHECK(replies[3].content.text == "hello");
    CHECK(replies[4].content.kind == value::type::string);
    CHECK(replies[4].content.text.empty());
    CHECK(replies[5].is_error);
    CHECK(replies[5].content.text == "ERR no");

    const value& array = replies[6].content;
    CHECK_FALSE(replies[6].is_error);
    REQUIRE(array.kind == value::type::array);
    REQUIRE(array.elements.size() == 4);
    CHECK(array.elements[0].integer == 1);
    CHECK(array.elements[1].text == "a\r\n");
    REQUIRE(array.elements[2].elements.size() == 2);
    CHECK(array.elements[2].elements[0].kind == value::type::nil);
    CHECK(array.elements[2].elements[1].kind == value::type::array);
    CHECK(array.elements[3].kind == value::type::string);
    CHECK(array.elements[3].text == "ERR inside");

    CHECK(replies[7].content.kind == value::type::nil);
}

std::vector<reply_reader::reply> read_in_pieces(std::string_view bytes, std::size_t piece) {
    reply_reader reader;
    std::vector<reply_reader::reply> replies;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        reader.feed(bytes.substr(at, piece));
        while (auto reply = reader.next())
            replies.push_back(std::move(*reply));
    }
    CHECK(reader.fault().empty());
    return replies;
}

}  // namespace

TEST_CASE("reply reader: the same values, wherever the bytes are cut") {
    for (std::size_t piece = 1; piece <= conversation.size(); ++piece) {
        CAPTURE(piece);
        check_conversation(read_in_pieces(conversation, piece));
    }
}

TEST_CASE("reply reader: a cut in two at each byte") {
    for (std::size_t cut = 0; cut <= conversation.size(); ++cut) {
        CAPTURE(cut);
        reply_reader reader;
        std::vector<reply_reader::reply> replies;
        for (const auto part : {conversation.substr(0, cut), conversation.substr(cut)}) {
            reader.feed(part);
            while (auto reply = reader.next())
                replies.push_back(std::move(*reply));
        }
        check_conversation(replies);
    }
}

TEST_CASE("reply reader: what is no RESP is a fault, until reset") {
    reply_reader reader;
    reader.feed("HTTP/1.1 400 Bad Request\r\n");
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.fault().empty());
    reader.feed("+OK\r\n");
    CHECK_FALSE(reader.next());

    reader.reset();
    CHECK(reader.fault().empty());
    reader.feed("+OK\r\n");
    REQUIRE(reader.next());
}

TEST_CASE("reply reader: an array of more elements than the limit is a fault, not an allocation") {
    reply_reader reader;
    reader.feed("*1000001\r\n");
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.fault().empty());
}

TEST_CASE("reply reader: a reply that does not end is a fault at the limit") {
    reply_reader reader;
    reader.feed("$200000000\r\n");
    const std::string piece(1024 * 1024, 'x');
    std::size_t fed = 0;
    while (reader.fault().empty() && fed < 2 * reply_reader::reply_bytes_max) {
        reader.feed(piece);
        fed += piece.size();
        REQUIRE_FALSE(reader.next());
    }
    CHECK(fed <= reply_reader::reply_bytes_max + piece.size());
    CHECK_FALSE(reader.fault().empty());
}

TEST_CASE("reply reader: a reset in the middle of a reply leaves nothing of it") {
    reply_reader reader;
    reader.feed("*2\r\n:1\r\n");
    CHECK_FALSE(reader.next());
    reader.reset();
    reader.feed(":7\r\n");
    const auto reply = reader.next();
    REQUIRE(reply);
    CHECK(reply->content.integer == 7);
    CHECK(reply->content.elements.empty());
}
