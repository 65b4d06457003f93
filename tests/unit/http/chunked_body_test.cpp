#include "chunked_body.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::http;
using namespace std::string_literals;
using state = chunked_body::state;

namespace {

struct outcome {
    state now;
    std::string body;
    std::size_t bytes;
    bool operator==(const outcome&) const = default;
};

outcome read_in_pieces(const std::string& text, std::size_t piece, std::size_t body_max = 100,
                       std::size_t framing_max = 1'000) {
    chunked_body reader(body_max, framing_max);
    for (std::size_t end = std::min(piece, text.size());;
         end = std::min(end + piece, text.size())) {
        // A copy of its exact size each time: the caller may move its bytes.
        const std::string arrived = text.substr(0, end);
        reader.read(arrived);
        if (reader.wants_nothing() || end == text.size()) break;
    }
    return {reader.now(), std::string(reader.body()), reader.bytes()};
}

/// However the bytes come, the outcome is one.
outcome read(const std::string& text, std::size_t body_max = 100, std::size_t framing_max = 1'000) {
    const outcome whole = read_in_pieces(text, text.size(), body_max, framing_max);
    for (std::size_t piece = 1; piece < text.size() && piece < 20; ++piece) {
        INFO(text << "\nin pieces of " << piece);
        CHECK(read_in_pieces(text, piece, body_max, framing_max) == whole);
    }
    return whole;
}

}  // namespace

TEST_CASE("chunks are joined, and what follows them is not theirs") {
    CHECK(read("0\r\n\r\n") == outcome{state::complete, "", 5});
    CHECK(read("3\r\nabc\r\n0\r\n\r\nGET /") == outcome{state::complete, "abc", 13});
    CHECK(read("3\r\nabc\r\n2\r\n\r\n\r\n000\r\n\r\n").body == "abc\r\n");
    CHECK(read("A\r\n0123456789\r\na\r\n0123456789\r\n00\r\n\r\n").body.size() == 20);
    CHECK(read("0000000000000001\r\nx\r\n0\r\n\r\n").body == "x");
}

TEST_CASE("chunk extensions and trailers are ignored") {
    CHECK(read("1;a\r\nx\r\n1;a=b;c=\"d;\t\xc3\xa4\"\r\ny\r\n0;last\r\n\r\n").body == "xy");
    const auto trailed =
        read("1\r\nx\r\n0\r\nExpires: never\r\nContent-Length:5\r\nx:\r\n\r\nnext");
    CHECK(trailed.now == state::complete);
    CHECK(trailed.body == "x");
    CHECK(trailed.bytes == 49);
}

TEST_CASE("incomplete chunks are waited for") {
    const std::string whole = "2;e\r\nab\r\n0\r\nT: 1\r\n\r\n";
    for (std::size_t end = 0; end < whole.size(); ++end) {
        INFO(end);
        CHECK(read(whole.substr(0, end)).now == state::incomplete);
    }
    CHECK(read(whole).now == state::complete);
}

TEST_CASE("chunks have one form") {
    const auto text =
        GENERATE("\r\n"s, " 1\r\n"s, "1 \r\n"s, "1\t;e\r\n"s, "1\n"s, "1\rx"s, "g\r\n"s, "0x1\r\n"s,
                 "-1\r\n"s, "+1\r\n"s, ";e\r\n"s, "1;e\n"s, "1;\0\r\n"s, "1;\x7f\r\n"s, "1\r\nab"s,
                 "1\r\na\n"s, "1\r\na\rx"s, "00000000000000001\r\n"s, "0\r\n\n"s, "0\r\n\rx"s,
                 "0\r\n folded\r\n"s, "0\r\nT: 1\r\n\tfolded\r\n"s, "0\r\nT : 1\r\n"s,
                 "0\r\nT\r\n"s, "0\r\n: 1\r\n"s, "0\r\nT: 1\n"s, "0\r\nT: \x01\r\n"s,
                 "0\r\nT: 1\rx"s, "1;"s + std::string(300, 'e'));
    INFO(text);
    CHECK(read(text).now == state::malformed);
}

TEST_CASE("chunks have limits, for the data and for what is around them") {
    CHECK(read("5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n", 10).now == state::complete);
    CHECK(read("5\r\nabcde\r\n6\r\n", 10).now == state::too_large);
    CHECK(read("b", 10).now == state::too_large);
    CHECK(read("ffffffffffffffff", 10).now == state::too_large);
    CHECK(read("80000000", 1'000'000).now == state::too_large);

    // One byte in a chunk: five around it, of which the data pay for one.
    std::string small;
    for (int i = 0; i < 20; ++i)
        small += "1\r\nx\r\n";
    CHECK(read(small + "0\r\n\r\n", 100, 85).now == state::complete);
    CHECK(read(small + "0\r\n\r\n", 100, 84).now != state::complete);
    CHECK(read(small, 100, 40).now == state::too_large);
    const std::string trailers = "0\r\nT: " + std::string(50, 't') + "\r\n\r\n";
    CHECK(read(trailers, 100, trailers.size()).now == state::complete);
    CHECK(read(trailers, 100, 40).now == state::trailers_too_large);
}
