// Answers whose body is made while it is sent.

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "tapped_source.hpp"

using namespace flashsale;
using namespace flashsale::http;

namespace {

constexpr std::size_t piece_bytes = 65'536;

std::unexpected<std::string> failure() {
    return std::unexpected(std::string("on purpose"));
}

}  // namespace

TEST_CASE("stream: a body comes in chunks as it is made, and the connection goes on") {
    streaming_server server;
    client c(server.port());
    c.get("/stream");
    server.give(0, "one");
    CHECK(eventually([&] { return server.tap_of(0)->asked == 2; }));
    CHECK(c.readable(60s));
    server.give(0, std::string(300, 'x'));
    server.give(0, "");
    c.get("/plain");
    received whole = c.answer();
    CHECK(whole.body == "one" + std::string(300, 'x'));
    CHECK(whole.chunks == 3);
    CHECK(whole.has("Content-Type: text/plain"));
    CHECK(whole.header("Content-Length").empty());
    CHECK_FALSE(whole.header("X-Request-Id").empty());
    CHECK(c.answer().body == "\"plain\"");
    CHECK(server.tap_of(0)->dropped);

    c.get("/stream");
    server.give(1, "");
    CHECK(c.answer().body.empty());
    c.get("/plain");
    CHECK(c.answer().status == 200);
}

TEST_CASE("stream: to HTTP/1.0 a body ends with the connection, whatever was asked for") {
    streaming_server server;
    client c(server.port());
    c.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get_text("/plain"));
    server.give(0, "one");
    server.give(0, "two");
    server.give(0, "");
    const received head = c.answer(false);
    CHECK(head.has("Connection: close"));
    CHECK(head.header("Transfer-Encoding").empty());
    CHECK(head.header("Content-Length").empty());
    bool broken = false;
    CHECK(c.rest(broken) == "onetwo");
    CHECK_FALSE(broken);
}

TEST_CASE("stream: HEAD has its header, and asks for nothing") {
    streaming_server server;
    client c(server.port());
    c.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" + get_text("/plain"));
    const received head = c.answer(false);
    CHECK(head.status == 200);
    CHECK(head.has("Content-Type: text/plain"));
    CHECK(head.has("Transfer-Encoding: chunked"));
    CHECK(c.answer().body == "\"plain\"");
    CHECK(server.tap_of(0)->asked == 0);
    CHECK(server.tap_of(0)->dropped);
}

TEST_CASE("stream: pipelined answers keep their order, and nothing is asked for before its turn") {
    streaming_server server;
    client c(server.port());
    c.send(get_text("/hold") + get_text("/stream") + get_text("/hold") + get_text("/stream") +
           get_text("/plain"));
    REQUIRE(server.holds(2));
    const auto first = server.tap_of(0), second = server.tap_of(1);
    server.answer_held({1});
    CHECK(server.on_worker([&] { return first->asked + second->asked; }) == 0);
    server.answer_held({0});
    CHECK(c.answer().body == "0");
    server.give(0, "one");
    CHECK(eventually([&] { return first->asked == 2; }));
    CHECK(second->asked == 0);
    server.give(0, "");
    CHECK(c.answer().body == "one");
    CHECK(c.answer().body == "1");
    server.give(1, "two");
    server.give(1, "");
    CHECK(c.answer().body == "two");
    CHECK(c.answer().body == "\"plain\"");
}

TEST_CASE("stream: no request is begun behind one that goes on") {
    streaming_server server;
    client c(server.port());
    c.get("/stream");
    server.give(0, "one");
    REQUIRE(eventually([&] { return server.tap_of(0)->asked == 2; }));
    c.get("/hold");
    client other(server.port());
    for (int i = 0; i < 20; ++i) {
        other.get("/later/x");
        CHECK(other.answer().status == 200);
    }
    CHECK(server.on_worker([&] { return server.held.empty(); }));
    server.give(0, "");
    CHECK(c.answer().body == "one");
    REQUIRE(server.holds(1));
    server.answer_held({0});
    CHECK(c.answer().body == "0");
}

TEST_CASE("stream: a client that does not read is asked nothing for, and is given up") {
    limits bounds;
    bounds.write_timeout = 300ms;
    streaming_server server(bounds);
    const auto timeouts_before = timeouts_total.value();
    const auto streams_before = streams_open.value();
    server.make_endless(piece_bytes);
    client c(server.port(), 4'096);
    c.get("/stream");
    const auto given = server.tap_of(0);
    CHECK(eventually([&] { return given->dropped.load(); }));
    CHECK(timeouts_total.value() == timeouts_before + 1);
    CHECK(streams_open.value() == streams_before);
    // What the kernel took for it, and one piece.
    CHECK(given->asked > 1);
    CHECK(given->asked < 300);
}

TEST_CASE("stream: a client that reads slowly but in time gets everything") {
    streaming_server server;
    server.make_endless(piece_bytes);
    client c(server.port(), 4'096);
    c.get("/stream");
    const auto given = server.tap_of(0);
    const received whole = c.answer();
    CHECK(whole.body.size() == given->endless_max * piece_bytes);
    CHECK(given->asked == given->endless_max + 1);
}

TEST_CASE("stream: a source that always has a piece keeps nobody waiting") {
    streaming_server server;
    server.make_endless(1'024);
    client c(server.port());
    c.get("/stream", "Connection: close\r\n");  // its end ends what is read
    const auto endless = server.tap_of(0);
    server.on_worker([&] {
        endless->endless_max = std::numeric_limits<std::size_t>::max();
        return true;
    });
    std::atomic<bool> enough{false};
    std::thread reader([&] {
        while (!enough)
            c.take(65'536);
    });
    client other(server.port());
    for (int i = 0; i < 100; ++i) {
        other.get("/plain");
        CHECK(other.answer().status == 200);
    }
    server.on_worker([&] {
        endless->endless_max = 0;
        return true;
    });
    enough = true;
    reader.join();
    CHECK(eventually([&] { return endless->dropped.load(); }));
}

TEST_CASE("stream: a client that goes away ends it") {
    streaming_server server;
    const auto open_before = connections_open.value();
    auto c = std::make_unique<client>(server.port());
    // Nothing more is read from it.
    c->get("/stream", "Connection: close\r\n");
    const auto given = server.tap_of(0);
    server.give(0, "one");
    SECTION("with bytes unread, at once, while nothing is to be written") {
        REQUIRE(c->readable(60s));
        REQUIRE(eventually([&] { return given->asked == 2; }));
        c.reset();
    }
    SECTION("in good order, at a write") {
        REQUIRE_FALSE(c->take(16).empty());
        c.reset();
        while (!given->dropped)
            server.give(0, "x");
    }
    CHECK(eventually([&] { return given->dropped.load(); }));
    CHECK(eventually([&] { return connections_open.value() == open_before; }));
    client other(server.port());
    other.get("/plain");
    CHECK(other.answer().status == 200);
}

TEST_CASE("stream: a client that ends its half still gets all of it") {
    streaming_server server;
    client c(server.port());
    c.get("/stream");
    c.end_sending();
    server.give(0, "one");
    REQUIRE(eventually([&] { return server.tap_of(0)->asked == 2; }));
    server.give(0, "two");
    server.give(0, "");
    CHECK(c.answer().body == "onetwo");
    CHECK(c.ended());
}

TEST_CASE("stream: what fails in the middle is seen as cut off, and logged with its request") {
    std::ostringstream text;
    const auto before = spdlog::default_logger();
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)));
    const auto failed_before = streams_failed_total.value();
    {
        streaming_server server;
        client c(server.port());
        c.get("/stream", "X-Request-Id: named\r\n");
        server.give(0, "one");
        server.give(0, failure());
        CHECK(c.answer().status == 0);

        client old(server.port());
        old.send("GET /stream HTTP/1.0\r\n\r\n");
        server.give(1, "one");
        REQUIRE(eventually([&] { return server.tap_of(1)->asked == 2; }));
        CHECK(old.answer(false).status == 200);
        CHECK(old.take(3) == "one");
        server.give(1, failure());
        bool broken = false;
        CHECK(old.rest(broken).empty());
        CHECK(broken);
    }
    spdlog::set_default_logger(before);
    INFO(text.str());
    CHECK(text.str().find("request named: its answer is cut off: on purpose") != std::string::npos);
    CHECK(streams_failed_total.value() == failed_before + 2);
}

TEST_CASE("stream: there are so many at once and no more") {
    limits bounds;
    bounds.streams_max = 2;
    streaming_server server(bounds);
    const auto refused_before = streams_refused_total.value();
    client first(server.port()), second(server.port()), third(server.port());
    first.get("/stream");
    server.give(0, "one");
    second.get("/stream");
    server.give(1, "one");
    REQUIRE(eventually([&] { return server.tap_of(1)->asked == 2; }));
    third.get("/stream");
    const received refused = third.answer();
    CHECK(refused.status == 503);
    CHECK(refused.code() == "overloaded");
    CHECK(refused.has("Retry-After: 1"));
    CHECK(server.tap_of(2)->dropped);
    CHECK(streams_refused_total.value() == refused_before + 1);
    // HEAD is none.
    third.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(third.answer(false).status == 200);

    server.give(0, "");
    CHECK(first.answer().body == "one");
    third.get("/stream");
    server.give(4, "");
    CHECK(third.answer().status == 200);
    // One that is waiting for its turn counts, and its end too.
    third.send(get_text("/hold") + get_text("/stream"));
    const auto behind = server.tap_of(5);
    first.get("/stream");
    CHECK(first.answer().status == 503);
    CHECK_FALSE(behind->dropped);
    third.close();
    server.on_worker([&] {
        server.held.clear();  // 500, whose writing shows that the client has gone
        return true;
    });
    CHECK(eventually([&] { return behind->dropped.load(); }));
    first.get("/stream");
    server.give(7, "");
    CHECK(first.answer().status == 200);
}

TEST_CASE("stream: stop lets it end, abort does not") {
    streaming_server server;
    client c(server.port());
    c.get("/stream");
    server.give(0, "one");
    REQUIRE(eventually([&] { return server.tap_of(0)->asked == 2; }));
    server.it().stop();
    SECTION("stop") {
        server.give(0, "two");
        REQUIRE(eventually([&] { return server.tap_of(0)->asked == 3; }));
        CHECK_FALSE(server.it().drained());
        server.give(0, "");
        CHECK(c.answer().body == "onetwo");
        CHECK(c.ended());
        c.close();
    }
    SECTION("abort") {
        const auto given = server.tap_of(0);
        server.it().abort();
        CHECK(c.answer().status == 0);
        CHECK(eventually([&] { return given->dropped.load(); }));
    }
    CHECK(eventually([&] { return server.it().drained(); }));
}

TEST_CASE("stream: its pieces may be made by a coroutine") {
    asio::io_context io{1};
    router routes;
    const auto made = [&io](const request& asked) -> awaitable<response> {
        const bool throws = asked.parameter == "throws";
        response out;
        out.stream =
            make_body_source(io, [&io, throws, number = 0]() mutable -> awaitable<body_piece> {
                const int mine = ++number;
                co_await asio::post(io, use_awaitable);
                if (mine == 4 && throws) throw std::runtime_error("on purpose");
                co_return mine == 4 ? std::string() : std::to_string(mine);
            });
        co_return out;
    };
    routes.add({.verb = method::get,
                .pattern = "/made/{how}",
                .who_may = callers::anybody(),
                .handle = coroutine{io, made},
                .kept_by = caching::its_person});
    flashsale::http::server server("127.0.0.1", 0, {}, {{io, routes}});
    server.start();
    std::thread thread([&] { io.run(); });
    client c(server.port());
    c.get("/made/well");
    const received whole = c.answer();
    CHECK(whole.body == "123");
    // Its tag is not known before its end.
    CHECK(whole.header("ETag").empty());
    CHECK(whole.header("Cache-Control") == "no-store");
    c.get("/made/throws");
    CHECK(c.answer().status == 0);
    server.abort();
    thread.join();
}
