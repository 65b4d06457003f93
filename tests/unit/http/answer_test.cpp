#include "answer.hpp"

#include <catch2/catch.hpp>

#include "answer_ring.hpp"

using namespace flashsale::http;

namespace {

/// Of all answers here that are not named by their client.
constexpr std::string_view date_line = "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n";

const common_lines& lines() {
    static const auto made = [] {
        common_lines all("0123-");
        all.set_date(std::chrono::system_clock::time_point(std::chrono::seconds(784887151)));
        return all;
    }();
    return made;
}

std::string common(std::string_view cache_control = "no-store",
                   std::string_view request_id = "0123-7") {
    return std::string(date_line) + "Cache-Control: " + std::string(cache_control) +
           "\r\nX-Request-Id: " + std::string(request_id) + "\r\n";
}

std::string rendered(const response& answer, answer_form form = {},
                     const request_name& name = {.number = 7}) {
    std::string out = "before";
    append_answer(out, answer, form, lines(), name);
    REQUIRE(out.starts_with("before"));
    return out.substr(6);
}

}  // namespace

TEST_CASE("an answer carries its headers") {
    CHECK(rendered({.status = 200, .body = "{}"}) ==
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + common() +
              "Content-Length: 2\r\n\r\n{}");
    CHECK(rendered({.status = 409, .body = "{}"}) ==
          "HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\n" + common() +
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
          "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\n" + common() +
              "Location: /v1/orders/1\r\nIdempotency-Key: k\r\nAllow: GET\r\n"
              "Idempotent-Replayed: true\r\nRetry-After: 7\r\nConnection: close\r\n"
              "Content-Length: 2\r\n\r\n{}");
}

TEST_CASE("an answer that caches may keep says so") {
    CHECK(rendered({.status = 200, .body = "{}", .cache_control = "private", .etag = 0xab}) ==
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + common("private") +
              "ETag: \"ab\"\r\nContent-Length: 2\r\n\r\n{}");
    CHECK(rendered({.status = 304, .cache_control = "private", .etag = ~std::uint64_t{0}}) ==
          "HTTP/1.1 304 Not Modified\r\n" + common("private") +
              "ETag: \"ffffffffffffffff\"\r\n\r\n");
}

TEST_CASE("an answer has the name of its request, in the header and in the problem") {
    CHECK(rendered({.status = 200}, {}, {.taken = "mine"}) ==
          "HTTP/1.1 200 OK\r\n" + common("no-store", "mine") + "Content-Length: 0\r\n\r\n");
    CHECK(rendered({.status = 200, .cache_control = "private"}, {}, {.taken = "mine"}) ==
          "HTTP/1.1 200 OK\r\n" + common("private", "mine") + "Content-Length: 0\r\n\r\n");
    const auto document = [](const request_name& name) {
        const std::string answer = rendered(problem(problems::internal), {}, name);
        const auto body = answer.find("\r\n\r\n") + 4;
        CHECK(answer.find("Content-Length: " + std::to_string(answer.size() - body) + "\r\n") !=
              std::string::npos);
        return std::string(boost::json::parse(answer.substr(body)).at("request_id").as_string());
    };
    CHECK(document({.number = 7}) == "0123-7");
    CHECK(document({.number = ~std::uint64_t{0}}) == "0123-18446744073709551615");
    CHECK(document({.taken = "mine"}) == "mine");
    CHECK(document({.taken = "\"\\/~"}) == "\"\\/~");
    const std::string head = rendered(problem(problems::internal), {.head_only = true});
    const std::string whole = rendered(problem(problems::internal));
    CHECK(whole.starts_with(head));
    CHECK(request_name{.taken = "mine"}.to_string() == "mine");
    CHECK(request_name{.prefix = "0123-", .number = 7}.to_string() == "0123-7");
}

TEST_CASE("an answer with everything at its longest has room") {
    response all = problem(problems::outcome_unknown, {}, std::string(1'000, 'f'));
    all.status = 431;  // has the longest line
    all.location = std::string(300, 'l');
    all.idempotency_key = std::string(255, 'k');
    all.replayed = true;
    all.retry_after_s = ~0u;
    all.content_type = "application/a-very-long-type+json";
    all.allow = "GET, HEAD, POST";
    all.cache_control = "public, max-age=9223372036854775807";
    all.etag = ~std::uint64_t{0};
    const std::string id(64, '"');
    const std::string answer = rendered(all, {.close = true}, {.taken = id});
    const auto body = answer.find("\r\n\r\n") + 4;
    CHECK(answer.find("Content-Length: " + std::to_string(answer.size() - body) + "\r\n") !=
          std::string::npos);
    CHECK(boost::json::parse(answer.substr(body)).at("request_id").as_string() == id);
}

TEST_CASE("the form of an answer follows its request") {
    CHECK(rendered({.status = 200, .body = "{}"}, {.head_only = true})
              .ends_with("Content-Length: 2\r\n\r\n"));
    CHECK(rendered({.status = 200, .body = "{}"}, {.http_1_0 = true})
              .find("Connection: keep-alive\r\n") != std::string::npos);
    CHECK(rendered({.status = 200, .body = "{}"}, {.close = true, .http_1_0 = true})
              .find("keep-alive") == std::string::npos);
    CHECK(rendered({.status = 204}) == "HTTP/1.1 204 No Content\r\n" + common() + "\r\n");
    CHECK(rendered({.status = 200}) ==
          "HTTP/1.1 200 OK\r\n" + common() + "Content-Length: 0\r\n\r\n");
    CHECK(rendered({.status = 299}) ==
          "HTTP/1.1 299 \r\n" + common() + "Content-Length: 0\r\n\r\n");
}

TEST_CASE("the date is that of RFC 9110") {
    CHECK(make_date_line(std::chrono::system_clock::time_point(std::chrono::seconds(784887151))) ==
          date_line);
    CHECK(lines().date() == date_line);
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
            ring.push({}, {});
        for (const char c : letters) {
            CHECK(ring.answer(static_cast<std::uint64_t>(c - 'a'), body_of(c), lines(), out));
        }
        CHECK(bodies(out) == "abcd");
        CHECK(ring.empty());
    } while (std::next_permutation(letters.begin(), letters.end()));
}

TEST_CASE("an early answer waits for the older ones") {
    answer_ring ring;
    std::string out;
    ring.push({}, {});
    ring.push({}, {});
    ring.push({}, {});
    CHECK(ring.answer(1, body_of('b'), lines(), out));
    CHECK(out.empty());
    CHECK(ring.size() == 3);
    CHECK(ring.answer(0, body_of('a'), lines(), out));
    CHECK(bodies(out) == "ab");
    CHECK(ring.size() == 1);
}

TEST_CASE("a slot is answered once") {
    answer_ring ring;
    std::string out;
    CHECK_FALSE(ring.answer(0, body_of('x'), lines(), out));
    ring.push({}, {});
    ring.push({}, {});
    CHECK(ring.answer(1, body_of('b'), lines(), out));
    CHECK_FALSE(ring.answer(1, body_of('c'), lines(), out));
    CHECK(ring.answer(0, body_of('a'), lines(), out));
    CHECK_FALSE(ring.answer(0, body_of('a'), lines(), out));
    CHECK_FALSE(ring.answer(7, body_of('a'), lines(), out));
    CHECK(bodies(out) == "ab");
}

TEST_CASE("an early answer keeps the name of its own request") {
    answer_ring ring;
    std::string out;
    for (const std::string name : {"first", "second", "third"})
        ring.push({}, {.taken = name});
    CHECK(ring.name_of(1)->taken == "second");
    ring.answer(2, body_of('c'), lines(), out);
    CHECK_FALSE(ring.name_of(2));
    ring.answer(0, body_of('a'), lines(), out);
    ring.push({}, {.number = 4});
    ring.answer(1, body_of('b'), lines(), out);
    ring.answer(3, body_of('d'), lines(), out);
    CHECK(bodies(out) == "abcd");
    std::size_t at = 0;
    for (const auto* name : {"first", "second", "third", "0123-4"}) {
        INFO(name);
        at = out.find(std::string("X-Request-Id: ") + name + "\r\n", at);
        CHECK(at != std::string::npos);
    }
}

TEST_CASE("the ring grows around its waiting answers and wraps") {
    answer_ring ring;
    std::string out;
    std::string expected;
    std::uint64_t oldest = 0;
    for (int round = 0; round < 40; ++round) {
        std::vector<std::uint64_t> slots;
        for (int i = 0; i < 1 + round % 9; ++i)
            slots.push_back(ring.push({}, {}));
        CHECK(slots[0] == oldest);
        oldest += slots.size();
        for (std::size_t i = slots.size(); i-- > 0;) {
            ring.answer(slots[i], body_of(static_cast<char>('a' + i)), lines(), out);
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
    ring.push({}, {});
    ring.push({}, {});
    ring.close_newest();
    ring.answer(0, body_of('a'), lines(), out);
    CHECK(out.find("Connection: close") == std::string::npos);
    ring.answer(1, body_of('b'), lines(), out);
    CHECK(out.find("Connection: close") != std::string::npos);
}
