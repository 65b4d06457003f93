#include "request_reader.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace flashsale::http;
using namespace std::string_literals;

namespace {

const limits default_limits;

struct outcome {
    bool complete = false;
    bool refused = false;
    problem_code code{};
    std::string field;
    bool keep_alive = false;
    bool head_only = false;
    method verb{};
    std::string path, query, body, key;

    bool operator==(const outcome&) const = default;
};

outcome outcome_of(bool complete, const parsed_request& found) {
    outcome result;
    result.complete = complete;
    if (!complete) return result;
    result.keep_alive = found.keep_alive;
    if (found.refused) {
        result.refused = true;
        result.code = found.refused->code;
        result.field = found.refused->field;
        return result;
    }
    result.head_only = found.head_only;
    result.verb = found.incoming.verb;
    result.path = found.incoming.path;
    result.query = found.incoming.query;
    result.body = found.incoming.body;
    result.key = found.incoming.idempotency_key;
    return result;
}

/// All outcomes of a stream that arrives in the given pieces, as a connection would read it.
std::vector<outcome> read_pieces(const std::vector<std::string_view>& pieces,
                                 const limits& bounds = default_limits) {
    request_reader reader(bounds);
    std::vector<outcome> outcomes;
    std::string arrived;
    for (const auto piece : pieces) {
        arrived += piece;
        while (!arrived.empty()) {
            // A copy of its exact size, so that a sanitizer sees a read past the end.
            const std::vector<char> input(arrived.begin(), arrived.end());
            parsed_request found;
            const bool complete = reader.read({input.data(), input.size()}, found);
            if (complete) outcomes.push_back(outcome_of(complete, found));
            arrived.erase(0, found.bytes);
            if (!complete) break;
            if (!found.keep_alive) return outcomes;
        }
    }
    return outcomes;
}

std::vector<outcome> read_all(std::string_view text, const limits& bounds = default_limits) {
    return read_pieces({text}, bounds);
}

outcome read_one(std::string_view text, const limits& bounds = default_limits) {
    const auto outcomes = read_all(text, bounds);
    REQUIRE(outcomes.size() == 1);
    return outcomes[0];
}

const auto plain_get = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"s;
const auto plain_post =
    "POST /v1/orders?dry=1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    "idempotency-key: k-1\r\nContent-Length: 7\r\n\r\n{\"a\":1}"s;

std::string with_header(std::string_view lines) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}

std::string post_with(std::string_view lines, std::string_view body) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n" + std::string(body);
}

}  // namespace

TEST_CASE("a request is read with what a handler needs") {
    const outcome get = read_one(plain_get);
    CHECK_FALSE(get.refused);
    CHECK(get.verb == method::get);
    CHECK(get.path == "/livez");
    CHECK(get.keep_alive);

    const outcome post = read_one(plain_post);
    CHECK(post.verb == method::post);
    CHECK(post.path == "/v1/orders");
    CHECK(post.query == "dry=1");
    CHECK(post.body == R"({"a":1})");
    CHECK(post.key == "k-1");

    CHECK(read_one("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").head_only);
    CHECK(read_one("BREW / HTTP/1.1\r\nHost: a\r\n\r\n").verb == method::other);
    CHECK(read_one("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n").verb == method::other);
}

TEST_CASE("the body of a GET belongs to it") {
    const auto outcomes = read_all(with_header("Content-Length: 4\r\n") + "GET " + plain_get);
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].body == "GET ");
    CHECK(outcomes[1].path == "/livez");
}

TEST_CASE("the end of the connection follows the client's version and wish") {
    CHECK(read_one("GET / HTTP/1.0\r\n\r\n").keep_alive == false);
    CHECK(read_one("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
    CHECK(read_one(with_header("Connection: close\r\n")).keep_alive == false);
    CHECK(read_one(with_header("Connection: x, Close\r\n")).keep_alive == false);
    CHECK(read_one(with_header("Connection: Upgrade\r\nUpgrade: websocket\r\n")).keep_alive);
}

TEST_CASE("blank lines before a request are skipped") {
    CHECK(read_all("\r\n\r\n" + plain_get + "\r\n" + plain_post + "\r\n").size() == 2);
    CHECK(read_all("\r\n\r\n").empty());

    request_reader reader(default_limits);
    parsed_request found;
    CHECK_FALSE(reader.read("\r\n\r\n\r", found));
    CHECK(found.bytes == 4);
}

TEST_CASE("a hundred pipelined requests are read from one buffer") {
    std::string text;
    for (int i = 0; i < 50; ++i)
        text += plain_get + plain_post;
    CHECK(read_all(text).size() == 100);
}

TEST_CASE("malformed requests are refused and end the connection") {
    const auto text = GENERATE(
        "GARBAGE\r\n\r\n"s, " GET / HTTP/1.1\r\n\r\n"s, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"s,
        "GET /\r\n\r\n"s, "GET / HTTP/1.1\nHost: a\n\n"s, "GET / HTTP/1.1\r\nHost: a\n\r\n"s,
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"s, "GET / http/1.1\r\nHost: a\r\n\r\n"s,
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n"s, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"s,
        "GET / HTTP/1.1\r\n: a\r\n\r\n"s, "GET / HTTP/1.1\r\nHost\r\n\r\n"s,
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"s, "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s,
        "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"s, "GET /\t HTTP/1.1\r\nHost: a\r\n\r\n"s,
        "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n"s, "GET / HTTP/1.1\r\nHo\x80st: a\r\n\r\n"s,
        "GET / HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n"s, "\n\nGET / HTTP/1.1\r\n\r\n"s,
        "GET / HTTP/1.1\r\n\r\n"s, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"s,
        "\x16\x03\x01\x02\x00\x01\r\n\r\n"s);
    INFO(text);
    const outcome result = read_one(text);
    CHECK(result.refused);
    CHECK(result.code == problem_code::bad_request);
    CHECK_FALSE(result.keep_alive);
}

TEST_CASE("folded header lines are refused") {
    const auto lines =
        GENERATE("X: a\r\n b\r\n"s, "X:\r\n b\r\n"s, "X: a\r\n \r\n"s, "X:\r\n \r\n"s,
                 "Idempotency-Key: a\r\n\tb\r\n"s, "Transfer-Encoding:\r\n chunked\r\n"s);
    INFO(lines);
    const outcome result = read_one(with_header(lines));
    CHECK(result.code == problem_code::bad_request);
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
    CHECK(result.code == problem_code::bad_request);
    CHECK(result.field == "Content-Length");
    CHECK_FALSE(result.keep_alive);
}

TEST_CASE("Transfer-Encoding is refused in every form") {
    const auto lines = GENERATE(
        "Transfer-Encoding: chunked\r\n"s, "transfer-encoding: CHUNKED\r\n"s,
        "Transfer-Encoding: gzip, chunked\r\n"s, "Transfer-Encoding: chunked, gzip\r\n"s,
        "Transfer-Encoding: identity\r\n"s, "Transfer-Encoding: xchunked\r\n"s,
        "Transfer-Encoding:\r\n"s, "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n"s,
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"s,
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"s,
        "Transfer-Encoding: x\r\nContent-Length: 5\r\n"s,
        "Content-Length: 5\r\nTransfer-Encoding: x\r\n"s);
    INFO(lines);
    const outcome result = read_one(post_with(lines, "0\r\n\r\n"));
    CHECK(result.refused);
    CHECK(result.code == problem_code::not_implemented);
    CHECK_FALSE(result.keep_alive);
}

TEST_CASE("other versions are refused as such") {
    const auto version = GENERATE("HTTP/2.0"s, "HTTP/1.2"s, "HTTP/0.9"s, "HTTP/9.9"s);
    const outcome result = read_one("GET / " + version + "\r\nHost: a\r\n\r\n");
    CHECK(result.code == problem_code::version_not_supported);
    CHECK_FALSE(result.keep_alive);
    CHECK(read_one("GET / HTTP/2.00\r\nHost: a\r\n\r\n").code ==
          problem_code::version_not_supported);
    CHECK(read_one("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").code == problem_code::version_not_supported);
}

TEST_CASE("a POST states its length and is JSON") {
    const outcome no_length = read_one(post_with("", ""));
    CHECK(no_length.code == problem_code::length_required);
    CHECK_FALSE(no_length.keep_alive);

    const auto accepted = GENERATE("application/json"s, "Application/JSON"s,
                                   "application/json; charset=utf-8"s, "application/json ;x=y"s);
    CHECK_FALSE(read_one(post_with("Content-Length: 2\r\nContent-Type: " + accepted + "\r\n", "{}"))
                    .refused);
    CHECK_FALSE(read_one(post_with("Content-Length: 2\r\n", "{}")).refused);
    CHECK_FALSE(
        read_one(post_with("Content-Length: 0\r\nContent-Type: text/plain\r\n", "")).refused);

    const auto refused =
        GENERATE("text/plain"s, "application/json2"s, "application/x-www-form-urlencoded"s,
                 "application/problem+json"s);
    const auto outcomes = read_all(
        post_with("Content-Length: 2\r\nContent-Type: " + refused + "\r\n", "{}") + plain_get);
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].code == problem_code::unsupported_media_type);
    CHECK(outcomes[0].keep_alive);
}

TEST_CASE("an idempotency key that cannot be used is refused and the connection goes on") {
    const auto lines =
        GENERATE("Idempotency-Key:\r\n"s, "Idempotency-Key: \r\n"s, "Idempotency-Key: a b\r\n"s,
                 "Idempotency-Key: a\tb\r\n"s, "Idempotency-Key: k\xc3\xa4\r\n"s,
                 "Idempotency-Key: a\r\nidempotency-key: a\r\n"s,
                 "Idempotency-Key: " + std::string(256, 'k') + "\r\n");
    const auto outcomes = read_all(with_header(lines) + plain_get);
    INFO(lines);
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].refused);
    CHECK(outcomes[0].code == problem_code::bad_request);
    CHECK(outcomes[0].field == "Idempotency-Key");
    CHECK(outcomes[0].keep_alive);
}

TEST_CASE("an idempotency key may be any visible ASCII") {
    const auto key = GENERATE("k"s, "\"8e03978e-40d5\""s, "!~"s, std::string(255, 'k'));
    CHECK(read_one(with_header("Idempotency-Key: " + key + "\r\n")).key == key);
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
    CHECK(read_one(padded_to(301), bounds).code == problem_code::headers_too_large);
    CHECK(read_one(padded_to(3'000), bounds).code == problem_code::headers_too_large);

    const auto target_of = [](std::size_t bytes) {
        return "GET /" + std::string(bytes - 1, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    CHECK_FALSE(read_one(target_of(100), bounds).refused);
    CHECK(read_one(target_of(101), bounds).code == problem_code::uri_too_long);
    CHECK(read_one(target_of(1'000), bounds).code == problem_code::uri_too_long);

    CHECK_FALSE(read_one(post_with("Content-Length: 10\r\n", "0123456789"), bounds).refused);
    // Before any of the body has come.
    const outcome body = read_one(post_with("Content-Length: 11\r\n", ""), bounds);
    CHECK(body.code == problem_code::body_too_large);
    CHECK_FALSE(body.keep_alive);
    CHECK(read_one(post_with("Content-Length: 18446744073709551615\r\n", ""), bounds).code ==
          problem_code::body_too_large);
}

TEST_CASE("many small header lines stay within the header's limit") {
    std::string lines;
    for (int i = 0; i < 10'000; ++i)
        lines += "a:b\r\n";
    CHECK(read_one(with_header(lines)).code == problem_code::headers_too_large);
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

TEST_CASE("the outcome does not depend on how the bytes arrive") {
    limits bounds;
    bounds.header_bytes_max = 200;
    bounds.uri_bytes_max = 60;
    bounds.body_bytes_max = 20;
    const auto text = GENERATE_COPY(
        plain_get + plain_post + plain_get, "\r\n" + plain_post + "\r\n\r\n" + plain_get,
        plain_get + "GARBAGE\r\n\r\n" + plain_get, plain_get + with_header("X: 1\r\n 2\r\n"),
        plain_get + post_with("Content-Length: 2\r\nContent-Length: 2\r\n", "{}") + plain_get,
        plain_get + post_with("Transfer-Encoding: chunked\r\n", "0\r\n\r\n") + plain_get,
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
    const std::string sound = plain_get + plain_post + post_with("Content-Length: 3\r\n", "123");
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
