// Where a request ends: lengths, chunks, limits, and whatever two readers could read differently.

#include <random>

#include "reading.hpp"

using namespace flashsale::http;
using namespace std::string_literals;

TEST_CASE("folded header lines are refused") {
    const auto lines =
        GENERATE("X: a\r\n b\r\n"s, "X:\r\n b\r\n"s, "X: a\r\n \r\n"s, "X:\r\n \r\n"s,
                 "Idempotency-Key: a\r\n\tb\r\n"s, "Transfer-Encoding:\r\n chunked\r\n"s);
    INFO(lines);
    const outcome result = read_one(with_header(lines));
    CHECK(result.type == &problems::bad_request);
    CHECK(result.refused);
    CHECK_FALSE(result.keep_alive);
}

TEST_CASE("a length that two readers could read differently is refused") {
    const auto lines =
        GENERATE("Content-Length: 5\r\nContent-Length: 6\r\n"s,
                 "Content-Length: 5\r\nContent-Length: 5\r\n"s, "Content-Length: 5, 5\r\n"s,
                 "Content-Length: +5\r\n"s, "Content-Length: -1\r\n"s, "Content-Length: 0x5\r\n"s,
                 "Content-Length: 5 5\r\n"s, "Content-Length:\r\n"s, "Content-Length: 5.0\r\n"s,
                 "Content-Length: 18446744073709551616\r\n"s,
                 "Content-Length: 99999999999999999999999\r\n"s, "Content-Length: 5;q=1\r\n"s);
    INFO(lines);
    const outcome result = read_one(post_with(lines, "12345"));
    CHECK(result.refused);
    CHECK(result.type == &problems::bad_request);
    CHECK(result.field == "Content-Length");
    CHECK_FALSE(result.keep_alive);
}

TEST_CASE("a Transfer-Encoding other than chunked is refused") {
    const auto lines =
        GENERATE("Transfer-Encoding: gzip, chunked\r\n"s, "Transfer-Encoding: chunked, gzip\r\n"s,
                 "Transfer-Encoding: identity\r\n"s, "Transfer-Encoding: xchunked\r\n"s,
                 "Transfer-Encoding: chunked;q=1\r\n"s, "Transfer-Encoding: chunked,\r\n"s,
                 "Transfer-Encoding:\r\n"s, "Transfer-Encoding: \"chunked\"\r\n"s);
    INFO(lines);
    const outcome result = read_one(post_with(lines, "0\r\n\r\n"));
    CHECK(result.refused);
    CHECK(result.type == &problems::not_implemented);
    CHECK_FALSE(result.keep_alive);
}

TEST_CASE("a body with two lengths is refused, whatever they say") {
    const auto lines = GENERATE("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"s,
                                "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n"s,
                                "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n"s,
                                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"s,
                                "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"s,
                                "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"s,
                                "Transfer-Encoding: x\r\nContent-Length: 5\r\n"s,
                                "Content-Length: 5\r\nTransfer-Encoding: x\r\n"s);
    INFO(lines);
    const outcome result = read_one(post_with(lines, "0\r\n\r\n"));
    CHECK(result.refused);
    CHECK(result.type == &problems::bad_request);
    CHECK(result.field == "Transfer-Encoding");
    CHECK_FALSE(result.keep_alive);
}

TEST_CASE("HTTP/1.0 has no Transfer-Encoding") {
    const outcome result = read_one(
        "POST / HTTP/1.0\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        "Connection: keep-alive\r\n\r\n0\r\n\r\n");
    CHECK(result.type == &problems::bad_request);
    CHECK(result.field == "Transfer-Encoding");
    CHECK_FALSE(result.keep_alive);
}

TEST_CASE("a body in chunks is as good as one with a length, and the next request follows it") {
    const auto te = GENERATE("Transfer-Encoding: chunked\r\n"s, "transfer-encoding: CHUNKED\r\n"s);
    const auto outcomes =
        read_all(post_with(te, "3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\nTrailer: 1\r\n\r\n") +
                 plain_get + post_with(te, "0\r\n\r\n") + plain_post);
    REQUIRE(outcomes.size() == 4);
    CHECK_FALSE(outcomes[0].refused);
    CHECK(outcomes[0].body == R"({"a":1})");
    CHECK(outcomes[0].keep_alive);
    CHECK(outcomes[1].path == "/livez");
    CHECK_FALSE(outcomes[2].refused);
    CHECK(outcomes[2].body.empty());
    CHECK(outcomes[3].body == R"({"a":1})");
}

TEST_CASE("chunks that two readers could read differently are refused and end the connection") {
    const auto chunks =
        GENERATE("5\n12345\r\n0\r\n\r\n"s, "5\r\n12345\n0\r\n\r\n"s, "5\r\n12345\r\n0\n\r\n"s,
                 "5\r\n12345\r\n0\r\n\n"s, " 5\r\n12345\r\n0\r\n\r\n"s, "5 \r\n12345\r\n0\r\n\r\n"s,
                 "0x5\r\n12345\r\n0\r\n\r\n"s, "+5\r\n12345\r\n0\r\n\r\n"s, "\r\n0\r\n\r\n"s,
                 "5\r\n123456\r\n0\r\n\r\n"s, "5\r\n1234\r\n0\r\n\r\n"s, ";x\r\n0\r\n\r\n"s,
                 "0\r\n continued\r\n\r\n"s, "0\r\nTrailer: a\n\r\n"s, "0\r\nTr ailer: a\r\n\r\n"s,
                 "0\r\nTrailer\r\n\r\n"s, "5;\n\r\n12345\r\n0\r\n\r\n"s, "-1\r\n"s);
    INFO(chunks);
    const outcome result = read_one(in_chunks(chunks));
    CHECK(result.refused);
    CHECK(result.type == &problems::bad_request);
    CHECK(result.field == "Transfer-Encoding");
    CHECK_FALSE(result.keep_alive);
}

TEST_CASE("a POST states its length") {
    const outcome no_length = read_one(post_with("", ""));
    CHECK(no_length.type == &problems::length_required);
    CHECK_FALSE(no_length.keep_alive);
}

TEST_CASE("what is over a limit is refused, and what is at it is not") {
    limits bounds;
    bounds.header_bytes_max = 300;
    bounds.uri_bytes_max = 100;
    bounds.body_bytes_max = 10;

    const auto padded_to = [](std::size_t bytes) {
        const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        return start + std::string(bytes - start.size() - 4, 'x') + "\r\n\r\n";
    };
    CHECK_FALSE(read_one(padded_to(300), bounds).refused);
    CHECK(read_one(padded_to(301), bounds).type == &problems::headers_too_large);
    CHECK(read_one(padded_to(3'000), bounds).type == &problems::headers_too_large);

    const auto target_of = [](std::size_t bytes) {
        return "GET /" + std::string(bytes - 1, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    CHECK_FALSE(read_one(target_of(100), bounds).refused);
    CHECK(read_one(target_of(101), bounds).type == &problems::uri_too_long);
    CHECK(read_one(target_of(1'000), bounds).type == &problems::uri_too_long);

    CHECK_FALSE(read_one(post_with("Content-Length: 10\r\n", "0123456789"), bounds).refused);
    // Before any of the body has come.
    const outcome body = read_one(post_with("Content-Length: 11\r\n", ""), bounds);
    CHECK(body.type == &problems::body_too_large);
    CHECK_FALSE(body.keep_alive);
    CHECK(read_one(post_with("Content-Length: 18446744073709551615\r\n", ""), bounds).type ==
          &problems::body_too_large);
    // In chunks the same, as soon as a size says so.
    CHECK_FALSE(read_one(in_chunks("5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"), bounds).refused);
    const outcome chunked = read_one(in_chunks("5\r\n01234\r\n6\r\n"), bounds);
    CHECK(chunked.type == &problems::body_too_large);
    CHECK_FALSE(chunked.keep_alive);
    CHECK(read_one(in_chunks("5\r\n01234\r\nffffffffffffffff\r\n"), bounds).type ==
          &problems::body_too_large);
    // What is around the data is bounded as the header is.
    const outcome trailers =
        read_one(in_chunks("1\r\nx\r\n0\r\nT: " + std::string(300, 't') + "\r\n\r\n"), bounds);
    CHECK(trailers.type == &problems::headers_too_large);
    CHECK_FALSE(trailers.keep_alive);
    CHECK(read_one(in_chunks("1;" + std::string(300, 'e') + "\r\nx\r\n0\r\n\r\n")).type ==
          &problems::bad_request);
}

TEST_CASE("many small header lines stay within the header's limit") {
    std::string lines;
    for (int i = 0; i < 10'000; ++i)
        lines += "a:b\r\n";
    CHECK(read_one(with_header(lines)).type == &problems::headers_too_large);
}

TEST_CASE("a client that expects 100 Continue is told once, while its body is missing") {
    const auto header =
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"s;
    request_reader reader(default_limits);
    parsed_request found;
    CHECK_FALSE(reader.read(header.substr(0, 60), found));
    CHECK_FALSE(reader.continue_wanted());
    CHECK_FALSE(reader.read(header, found));
    CHECK(reader.continue_wanted());
    reader.continue_sent();
    CHECK_FALSE(reader.read(header + "12", found));
    CHECK_FALSE(reader.continue_wanted());
    const std::string whole = header + "1234";
    CHECK(reader.read(whole, found));
    CHECK(found.incoming.body == "1234");

    CHECK(reader.read(whole, found));
    CHECK_FALSE(reader.continue_wanted());
    const auto old = "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"s;
    CHECK_FALSE(reader.read(old, found));
    CHECK_FALSE(reader.continue_wanted());
}

TEST_CASE("a client that will send chunks is told to go on, too") {
    const auto header =
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type: application/json\r\n\r\n"s;
    request_reader reader(default_limits);
    parsed_request found;
    CHECK_FALSE(reader.read(header, found));
    CHECK(reader.continue_wanted());
    reader.continue_sent();
    CHECK_FALSE(reader.read(header + "2\r\n{}", found));
    CHECK_FALSE(reader.continue_wanted());
    const std::string whole = header + "2\r\n{}\r\n0\r\n\r\n";
    CHECK(reader.read(whole, found));
    CHECK(found.incoming.body == "{}");
    CHECK(found.bytes == whole.size());
}

TEST_CASE("the outcome does not depend on how the bytes arrive") {
    limits bounds;
    bounds.header_bytes_max = 200;
    bounds.uri_bytes_max = 60;
    bounds.body_bytes_max = 20;
    const auto text = GENERATE_COPY(
        plain_get + plain_post + plain_get, "\r\n" + plain_post + "\r\n\r\n" + plain_get,
        plain_get + "GARBAGE\r\n\r\n" + plain_get, plain_get + with_header("X: 1\r\n 2\r\n"),
        plain_get + post_with("Content-Length: 2\r\nContent-Length: 2\r\n", "{}") + plain_get,
        plain_get + in_chunks("3\r\n{\"a\r\n4;x\r\n\":1}\r\n0\r\n\r\n") + plain_get,
        in_chunks("3\r\n{\"a\r\n4\r\n\":1}\n0\r\n\r\n") + plain_get,
        in_chunks("14\r\n" + std::string(20, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n") + plain_get,
        in_chunks("0\r\nT: " + std::string(250, 't') + "\r\n\r\n") + plain_get,
        in_chunks("0\r\nT: 1\r\nU: 2\r\n\r\n") + plain_get,
        with_header("X-Request-Id: a\r\nIdempotency-Key: \"\\\"b\"\r\n") + plain_get,
        plain_get + "GET / HTTP/3.0\r\n\r\n", plain_get + "GET / HTTP/1.1\nHost: a\n\n",
        with_header("Idempotency-Key: a b\r\n") + plain_get,
        with_header("X: " + std::string(300, 'x') + "\r\n") + plain_get,
        "GET /" + std::string(80, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n" + plain_get,
        "GET /" + std::string(300, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n" + plain_get,
        post_with("Content-Length: 21\r\n", std::string(21, 'x')) + plain_get);
    const auto whole = read_all(text, bounds);
    REQUIRE_FALSE(whole.empty());

    const std::string_view view = text;
    for (std::size_t cut = 1; cut < view.size(); ++cut) {
        INFO("cut at " << cut << " of: " << text);
        CHECK(read_pieces({view.substr(0, cut), view.substr(cut)}, bounds) == whole);
    }
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < view.size(); ++i)
        bytes.push_back(view.substr(i, 1));
    CHECK(read_pieces(bytes, bounds) == whole);
}

TEST_CASE("nor does it for requests with random damage") {
    limits bounds;
    bounds.header_bytes_max = 200;
    bounds.uri_bytes_max = 60;
    bounds.body_bytes_max = 20;
    const std::string sound = plain_get + plain_post + post_with("Content-Length: 3\r\n", "123") +
                              in_chunks("3;e=1\r\n{\"a\r\n4\r\n\":1}\r\n0\r\nT: 1\r\n\r\n") +
                              plain_get;
    const std::vector<std::string> splinters = {"\r\n",
                                                "\n",
                                                "\r",
                                                " ",
                                                ":",
                                                "\t",
                                                "\0"s,
                                                "0",
                                                "9",
                                                "HTTP/",
                                                "Transfer-Encoding: chunked\r\n",
                                                "Content-Length: 1\r\n"};
    std::mt19937 random(20'251'111);
    const auto up_to = [&random](std::size_t last) {
        return std::uniform_int_distribution<std::size_t>(0, last)(random);
    };
    for (int round = 0; round < 3'000; ++round) {
        std::string text = sound;
        for (std::size_t damage = up_to(2) + 1; damage > 0; --damage) {
            const std::size_t at = up_to(text.size() - 1);
            switch (up_to(2)) {
                case 0:
                    text[at] = static_cast<char>(up_to(255));
                    break;
                case 1:
                    text.erase(at, up_to(9) + 1);
                    break;
                default:
                    text.insert(at, splinters[up_to(splinters.size() - 1)]);
            }
        }
        const std::string_view view = text;
        const std::size_t cut = up_to(view.size());
        const std::size_t again = cut + up_to(view.size() - cut);
        INFO(text << "\ncut at " << cut << " and " << again);
        CHECK(read_pieces({view.substr(0, cut), view.substr(cut, again - cut), view.substr(again)},
                          bounds) == read_all(view, bounds));
    }
}
