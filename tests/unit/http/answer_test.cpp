#include "answer.hpp"

#include <catch2/catch.hpp>

#include "answer_ring.hpp"

using namespace flashsale::http;

namespace {

std::string rendered(const response& answer, answer_form form = {}, std::string_view date = {}) {
    std::string out = "before";
    append_answer(out, answer, form, date);
    REQUIRE(out.starts_with("before"));
    return out.substr(6);
}

}  // namespace

TEST_CASE("an answer carries its headers") {
    CHECK(rendered({.status = 200, .body = "{}"}) ==
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    CHECK(rendered({.status = 409, .body = "{}"}, {}, "Date: now\r\n") ==
          "HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\nDate: now\r\n"
          "Content-Length: 2\r\n\r\n{}");
    CHECK(rendered({.status = 201,
                    .body = "{}",
                    .location = "/v1/orders/1",
                    .idempotency_key = "k",
                    .replayed = true,
                    .retry_after_s = 7,
                    .content_type = "text/plain",
                    .allow = "GET"},
                   {.close = true}) ==
          "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nLocation: /v1/orders/1\r\n"
          "Idempotency-Key: k\r\nAllow: GET\r\nIdempotent-Replayed: true\r\nRetry-After: 7\r\n"
          "Connection: close\r\nContent-Length: 2\r\n\r\n{}");
}

TEST_CASE("the form of an answer follows its request") {
    CHECK(rendered({.status = 200, .body = "{}"}, {.head_only = true})
              .ends_with("Content-Length: 2\r\n\r\n"));
    CHECK(rendered({.status = 200, .body = "{}"}, {.http_1_0 = true})
              .find("Connection: keep-alive\r\n") != std::string::npos);
    CHECK(rendered({.status = 200, .body = "{}"}, {.close = true, .http_1_0 = true})
              .find("keep-alive") == std::string::npos);
    CHECK(rendered({.status = 204}) == "HTTP/1.1 204 No Content\r\n\r\n");
    CHECK(rendered({.status = 200}) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CHECK(rendered({.status = 299}) == "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("the date is that of RFC 9110") {
    CHECK(make_date_line(std::chrono::system_clock::time_point(std::chrono::seconds(784887151))) ==
          "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n");
}

namespace {

/// The bodies in the order in which they left.
std::string bodies(const std::string& out) {
    std::string found;
    for (std::size_t at = 0; (at = out.find("\r\n\r\n", at)) != std::string::npos; at += 4) {
        found += out.substr(at + 4, 1);
    }
    return found;
}

response body_of(char c) {
    return {.status = 200, .body = std::string(1, c)};
}

}  // namespace

TEST_CASE("answers leave in the order of their requests, whatever the order they come in") {
    std::string letters = "abcd";
    do {
        answer_ring ring;
        std::string out;
        for (int i = 0; i < 4; ++i)
            ring.push({});
        for (const char c : letters) {
            CHECK(ring.answer(static_cast<std::uint64_t>(c - 'a'), body_of(c), {}, out));
        }
        CHECK(bodies(out) == "abcd");
        CHECK(ring.empty());
    } while (std::next_permutation(letters.begin(), letters.end()));
}

TEST_CASE("an early answer waits for the older ones") {
    answer_ring ring;
    std::string out;
    ring.push({});
    ring.push({});
    ring.push({});
    CHECK(ring.answer(1, body_of('b'), {}, out));
    CHECK(out.empty());
    CHECK(ring.size() == 3);
    CHECK(ring.answer(0, body_of('a'), {}, out));
    CHECK(bodies(out) == "ab");
    CHECK(ring.size() == 1);
}

TEST_CASE("a slot is answered once") {
    answer_ring ring;
    std::string out;
    CHECK_FALSE(ring.answer(0, body_of('x'), {}, out));
    ring.push({});
    ring.push({});
    CHECK(ring.answer(1, body_of('b'), {}, out));
    CHECK_FALSE(ring.answer(1, body_of('c'), {}, out));
    CHECK(ring.answer(0, body_of('a'), {}, out));
    CHECK_FALSE(ring.answer(0, body_of('a'), {}, out));
    CHECK_FALSE(ring.answer(7, body_of('a'), {}, out));
    CHECK(bodies(out) == "ab");
}

TEST_CASE("the ring grows around its waiting answers and wraps") {
    answer_ring ring;
    std::string out;
    std::string expected;
    std::uint64_t oldest = 0;
    for (int round = 0; round < 40; ++round) {
        std::vector<std::uint64_t> slots;
        for (int i = 0; i < 1 + round % 9; ++i)
            slots.push_back(ring.push({}));
        CHECK(slots[0] == oldest);
        oldest += slots.size();
        for (std::size_t i = slots.size(); i-- > 0;) {
            ring.answer(slots[i], body_of(static_cast<char>('a' + i)), {}, out);
        }
        for (std::size_t i = 0; i < slots.size(); ++i)
            expected += static_cast<char>('a' + i);
        if (round % 5 == 0) ring.release();
    }
    CHECK(bodies(out) == expected);
}

TEST_CASE("the newest answer can still be made the last") {
    answer_ring ring;
    std::string out;
    ring.close_newest();
    ring.push({});
    ring.push({});
    ring.close_newest();
    ring.answer(0, body_of('a'), {}, out);
    CHECK(out.find("Connection: close") == std::string::npos);
    ring.answer(1, body_of('b'), {}, out);
    CHECK(out.find("Connection: close") != std::string::npos);
}
