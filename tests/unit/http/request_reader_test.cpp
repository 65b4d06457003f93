// What a request says, and what of it is refused.

#include "reading.hpp"

using namespace flashsale::http;
using namespace std::string_literals;

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
    CHECK(read_one("PUT / HTTP/1.1\r\nHost: a\r\n\r\n").verb == method::other);
    CHECK(read_one("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n").verb == method::erase);
    CHECK(read_one("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").verb == method::options);
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
    CHECK(result.type == &problems::bad_request);
    CHECK_FALSE(result.keep_alive);
}

TEST_CASE("other versions are refused as such") {
    const auto version = GENERATE("HTTP/2.0"s, "HTTP/1.2"s, "HTTP/0.9"s, "HTTP/9.9"s);
    const outcome result = read_one("GET / " + version + "\r\nHost: a\r\n\r\n");
    CHECK(result.type == &problems::version_not_supported);
    CHECK_FALSE(result.keep_alive);
    CHECK(read_one("GET / HTTP/2.00\r\nHost: a\r\n\r\n").type == &problems::version_not_supported);
    CHECK(read_one("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").type == &problems::version_not_supported);
}

TEST_CASE("a POST is JSON in UTF-8 and says so once, even without a body") {
    const auto typed = [](std::string_view lines, std::string_view body) {
        return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
    };
    const auto body = GENERATE("{}"s, ""s);
    CHECK_FALSE(read_one(typed("content-type: application/json\r\n", body)).refused);

    const auto lines =
        GENERATE(""s, "Content-Type:\r\n"s, "Content-Type: text/plain\r\n"s,
                 "Content-Type: application/json\r\nContent-Type: application/json\r\n"s,
                 "Content-Type: application/json\r\nContent-Type: text/plain\r\n"s,
                 "Content-Type: text/plain\r\nContent-Type: application/json\r\n"s,
                 "Content-Type: application/json; charset=iso-8859-1\r\n"s);
    INFO(lines);
    const auto outcomes = read_all(typed(lines, body) + plain_get);
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].type == &problems::unsupported_media_type);
    CHECK(outcomes[0].field == "Content-Type");
    CHECK(outcomes[0].keep_alive);
}

TEST_CASE("a body that is compressed is refused and the connection goes on") {
    CHECK_FALSE(
        read_one(post_with("Content-Encoding: Identity\r\nContent-Length: 2\r\n", "{}")).refused);
    const auto coding =
        GENERATE("gzip"s, "br"s, "identity, gzip"s, "identity\r\nContent-Encoding: deflate"s,
                 "deflate\r\nContent-Encoding: identity"s);
    INFO(coding);
    const auto outcomes = read_all(
        post_with("Content-Encoding: " + coding + "\r\nContent-Length: 2\r\n", "{}") + plain_get);
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].type == &problems::unsupported_media_type);
    CHECK(outcomes[0].field == "Content-Encoding");
    CHECK(outcomes[0].keep_alive);
}

TEST_CASE("an idempotency key that cannot be used is refused and the connection goes on") {
    const auto lines = GENERATE(
        "Idempotency-Key:\r\n"s, "Idempotency-Key: \r\n"s, "Idempotency-Key: a b\r\n"s,
        "Idempotency-Key: a\tb\r\n"s, "Idempotency-Key: k\xc3\xa4\r\n"s,
        "Idempotency-Key: a\r\nidempotency-key: a\r\n"s, "Idempotency-Key: \"a\r\n"s,
        "Idempotency-Key: \"a\";p=1\r\n"s, "Idempotency-Key: " + std::string(256, 'k') + "\r\n");
    const auto outcomes = read_all(with_header(lines) + plain_get);
    INFO(lines);
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].refused);
    CHECK(outcomes[0].type == &problems::bad_request);
    CHECK(outcomes[0].field == "Idempotency-Key");
    CHECK(outcomes[0].keep_alive);
}

TEST_CASE("an idempotency key may be any visible ASCII, and in quotes it is what is inside") {
    const auto key = GENERATE("k"s, "8e03978e-40d5"s, "!~"s, "a\"b"s, std::string(255, 'k'));
    CHECK(read_one(with_header("Idempotency-Key: " + key + "\r\n")).key == key);
    CHECK(read_one(with_header("Idempotency-Key: \"8e03978e-40d5\"\r\n")).key == "8e03978e-40d5");
    const auto both = read_all(with_header(R"(Idempotency-Key: "a\"b\\")"s + "\r\n") +
                               with_header("Idempotency-Key: plain\r\n"));
    REQUIRE(both.size() == 2);
    CHECK(both[0].key == "a\"b\\");
    CHECK(both[1].key == "plain");
}

TEST_CASE("Host is one, and a host: else 400 and the end of the connection") {
    const auto lines =
        GENERATE(""s, "Host: a\r\nHost: a\r\n"s, "Host: a\r\nHost: b\r\n"s, "Host: a b\r\n"s,
                 "Host: a/b\r\n"s, "Host: u@a\r\n"s, "Host: a:b\r\n"s, "Host: http://a\r\n"s,
                 "Host: a,b\xff\r\n"s, "Host: [::1\r\n"s);
    INFO(lines);
    const outcome result = read_one("GET / HTTP/1.1\r\n" + lines + "\r\n");
    CHECK(result.refused);
    CHECK(result.type == &problems::bad_request);
    CHECK(result.field == "Host");
    CHECK_FALSE(result.keep_alive);
    // HTTP/1.0 may leave it out, and nothing else.
    if (!lines.empty()) {
        CHECK(read_one("GET / HTTP/1.0\r\n" + lines + "\r\n").field == "Host");
    }
}

TEST_CASE("with http.hosts, no other host is answered, in whatever form it comes") {
    limits bounds;
    bounds.hosts = {"shop.example", "[::1]:8080"};
    const auto asked = [&](std::string_view target, std::string_view host) {
        return read_one(
            "GET " + std::string(target) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n",
            bounds);
    };
    CHECK_FALSE(asked("/", "shop.example").refused);
    CHECK_FALSE(asked("/", "SHOP.example:8443").refused);
    CHECK_FALSE(asked("/", "[::1]:8080").refused);
    CHECK_FALSE(asked("http://shop.example/", "evil.example").refused);  // RFC 9112, 3.2.2
    for (const auto* host : {"evil.example", "shop.example.evil", "[::1]", "[::1]:80", ""}) {
        INFO(host);
        CHECK(asked("/", host).type == &problems::bad_request);
        CHECK(asked("/", host).field == "Host");
    }
    CHECK(asked("http://evil.example/", "shop.example").field == "Host");
    CHECK(read_one("GET / HTTP/1.0\r\n\r\n", bounds).field == "Host");
}

TEST_CASE("a connection whose Host was right once is no freer with the next") {
    limits bounds;
    bounds.hosts = {"a"};
    const std::string right = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const std::string& next :
         {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"s, "GET / HTTP/1.1\r\n\r\n"s,
          "GET / HTTP/1.1\r\nHost: b\r\n\r\n"s, "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"s,
          "GET / HTTP/1.1\r\nHost: a/\r\n\r\n"s, "GET / HTTP/1.0\r\n\r\n"s}) {
        INFO(next);
        const auto outcomes = read_all(right + right + next, bounds);
        REQUIRE(outcomes.size() == 3);
        CHECK_FALSE(outcomes[1].refused);
        CHECK(outcomes[2].field == "Host");
    }
    // What came with an absolute form is not what Host was found right for.
    const auto foreign = read_all(
        "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"
        "GET / HTTP/1.1\r\nHost: b\r\n\r\n",
        bounds);
    REQUIRE(foreign.size() == 2);
    CHECK_FALSE(foreign[0].refused);
    CHECK(foreign[1].field == "Host");
}

TEST_CASE("the absolute form is the origin form") {
    const auto asked = [](std::string_view target) {
        return read_one("GET " + std::string(target) + " HTTP/1.1\r\nHost: b\r\n\r\n");
    };
    CHECK(asked("http://a/livez").path == "/livez");
    CHECK(asked("HTTPS://a:1/livez?x=/?").path == "/livez");
    CHECK(asked("HTTPS://a:1/livez?x=/?").query == "x=/?");
    CHECK(asked("http://a").path == "/");
    CHECK(asked("http://a?b").path == "/");
    CHECK(asked("http://a?b").query == "b");
    for (const auto* target :
         {"http:///livez", "http://u@a/livez", "http://a:b/", "http://[::g]/"}) {
        INFO(target);
        CHECK(asked(target).type == &problems::bad_request);
        CHECK_FALSE(asked(target).keep_alive);
    }
    CHECK(asked("ftp://a/livez").path == "ftp://a/livez");  // no route has it
}

TEST_CASE("X-Request-Id is taken if it is short and visible, and is no reason to refuse") {
    const auto id =
        GENERATE("a"s, "Root=1-67891233-abcdef012345678912345678"s, "\"\\~"s, std::string(64, 'x'));
    CHECK(read_one(with_header("x-request-id: " + id + "\r\n")).name == id);
    // With a refusal too, if it stood before what was wrong.
    CHECK(read_one(with_header("X-Request-Id: " + id + "\r\nX: 1\r\n 2\r\n")).name == id);

    const auto other =
        GENERATE("X-Request-Id:\r\n"s, "X-Request-Id: a b\r\n"s, "X-Request-Id: \xc3\xa4\r\n"s,
                 "X-Request-Id: a\r\nX-Request-Id: b\r\n"s,
                 "X-Request-Id: " + std::string(65, 'x') + "\r\n");
    CHECK_FALSE(read_one(with_header(other)).refused);
    CHECK(read_one(with_header(other)).name.empty());
}

namespace {

headers headers_of(std::string_view lines) {
    static std::deque<std::pair<std::string, request_reader>> alive;  // what views point into
    auto& [text, reader] = alive.emplace_back(with_header(lines), request_reader(default_limits));
    parsed_request found;
    REQUIRE(reader.read(text, found));
    REQUIRE_FALSE(found.refused.has_value());
    return found.incoming.headers;
}

}  // namespace

TEST_CASE("a handler may ask for the header fields that are declared, in any case") {
    const headers all = headers_of(
        "accept: a\r\nACCESS-CONTROL-REQUEST-METHOD: b\r\nAuthorization: Bearer c d\r\n"
        "Forwarded: for=e\r\nIf-Match: \"f\"\r\nIf-None-Match:  \"g\" \r\nlast-event-id: h\r\n"
        "Origin: i\r\nX-Forwarded-For:j\r\nCookie: k\r\n");
    CHECK(all[header::accept] == "a");
    CHECK(all[header::access_control_request_method] == "b");
    CHECK(all[header::authorization] == "Bearer c d");
    CHECK(all[header::forwarded] == "for=e");
    CHECK(all[header::if_match] == "\"f\"");
    CHECK(all[header::if_none_match] == "\"g\"");
    CHECK(all[header::last_event_id] == "h");
    CHECK(all[header::origin] == "i");
    CHECK(all[header::x_forwarded_for] == "j");

    const headers none = headers_of("");
    const headers empty = headers_of("Accept:\r\n");
    CHECK_FALSE(none.has(header::accept));
    CHECK(empty.has(header::accept));
    CHECK(none[header::accept].empty());
    CHECK(empty[header::accept].empty());
}

TEST_CASE("a list in several lines is one list") {
    const headers all = headers_of(
        "Accept: a\r\nX-Forwarded-For: 1, 2\r\nAccept: b;q=0.5\r\nX-Forwarded-For: 3\r\n"
        "Accept:\r\nAccept: c, d\r\nForwarded: x\r\nForwarded: y\r\nIf-Match: e\r\n"
        "If-Match: f\r\nIf-None-Match: g\r\nIf-None-Match: h\r\n");
    CHECK(all[header::accept] == "a, b;q=0.5, , c, d");
    CHECK(all[header::x_forwarded_for] == "1, 2, 3");
    CHECK(all[header::forwarded] == "x, y");
    CHECK(all[header::if_match] == "e, f");
    CHECK(all[header::if_none_match] == "g, h");
}

TEST_CASE("a field that may come once is refused if it comes twice, and the connection goes on") {
    const auto name = GENERATE(as<std::string>{}, "Authorization", "Origin", "Last-Event-ID",
                               "Access-Control-Request-Method");
    const auto outcomes = read_all(with_header(name + ": a\r\n" + name + ": a\r\n") + plain_get);
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].type == &problems::bad_request);
    CHECK(outcomes[0].field == name);
    CHECK(outcomes[0].keep_alive);
    CHECK_FALSE(outcomes[1].refused);
}

TEST_CASE("a PATCH has a body as a POST has") {
    const auto patch = [](std::string_view lines) {
        return read_one("PATCH / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n{}");
    };
    CHECK(patch("Content-Type: application/json\r\n").type == &problems::length_required);
    CHECK(patch("Content-Length: 2\r\n").type == &problems::unsupported_media_type);
    const outcome right = patch("Content-Type: application/json\r\nContent-Length: 2\r\n");
    CHECK_FALSE(right.refused);
    CHECK(right.verb == method::patch);
    CHECK(right.body == "{}");
    CHECK_FALSE(read_one("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n").refused);
}
