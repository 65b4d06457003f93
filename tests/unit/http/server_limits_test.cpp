// Every limit of struct limits, every deadline, and the end of the server.

#include <sys/resource.h>

#include "server_fixture.hpp"

using namespace flashsale;
using namespace flashsale::http;

TEST_CASE("a request over a limit is refused and the connection ends") {
    limits bounds;
    bounds.header_bytes_max = 1'000;
    bounds.uri_bytes_max = 100;
    bounds.body_bytes_max = 100;
    running_server server(bounds);
    client c(server.port());

    SECTION("headers") {
        c.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
        CHECK(c.answer().code() == "headers_too_large");
    }
    SECTION("target") {
        c.get("/" + std::string(100, 'x'));
        CHECK(c.answer().code() == "uri_too_long");
    }
    SECTION("body") {
        c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n");
        CHECK(c.answer().code() == "body_too_large");
    }
    SECTION("body that comes at once, and is longer than any buffer") {
        std::thread sender([&] {
            c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" +
                   std::string(1'000'000, 'x'));
        });
        CHECK(c.answer().code() == "body_too_large");
        sender.join();
        c.end_sending();
    }
    CHECK(c.ended());
}

TEST_CASE("no more than so many pipelined requests are begun") {
    limits bounds;
    bounds.pipelined_requests_max = 4;
    running_server server(bounds);
    client c(server.port());
    std::string text;
    for (int i = 0; i < 10; ++i)
        text += get_text("/hold");
    c.send(text);
    REQUIRE(server.holds(4));
    // By now the reader has seen all ten; nothing may begin until an answer leaves.
    CHECK(server.holds(4));
    server.answer_held({0, 1});
    REQUIRE(server.holds(6));
    server.answer_held({2, 3, 4, 5});
    REQUIRE(server.holds(10));
    server.answer_held({9, 8, 7, 6});
    for (int i = 0; i < 10; ++i)
        CHECK(c.answer().body == std::to_string(i));
    c.get("/plain");
    CHECK(c.answer().status == 200);
}

TEST_CASE("a thousand pipelined requests are all answered") {
    limits bounds;
    bounds.pipelined_requests_max = 3;
    running_server server(bounds);
    client c(server.port());
    std::string text;
    for (int i = 0; i < 1'000; ++i)
        text += get_text(i % 7 == 0 ? "/later/x" : "/plain");
    std::thread sender([&] { c.send(text); });
    for (int i = 0; i < 1'000; ++i)
        CHECK(c.answer().body == (i % 7 == 0 ? "\"x\"" : "\"plain\""));
    sender.join();
}

TEST_CASE("a connection serves so many requests and no more") {
    limits bounds;
    bounds.requests_per_connection_max = 3;
    running_server server(bounds);
    client c(server.port());
    c.send(get_text("/plain") + get_text("/plain") + get_text("/plain") + get_text("/plain"));
    CHECK_FALSE(c.answer().has("Connection: close"));
    CHECK_FALSE(c.answer().has("Connection: close"));
    CHECK(c.answer().has("Connection: close"));
    CHECK(c.ended());
}

TEST_CASE("a connection too many is told so") {
    limits bounds;
    bounds.connections_max = 2;
    running_server server(bounds);
    const auto refused_before = connections_refused_total.value();
    client first(server.port());
    auto second = std::make_unique<client>(server.port());
    first.get("/plain");
    CHECK(first.answer().status == 200);
    second->get("/plain");
    CHECK(second->answer().status == 200);

    client third(server.port());
    const received refused = third.answer();
    CHECK(refused.status == 503);
    CHECK(refused.code() == "overloaded");
    CHECK(refused.has("Retry-After: 1"));
    CHECK(refused.has("Connection: close"));
    CHECK(third.ended());
    third.close();
    CHECK(connections_refused_total.value() == refused_before + 1);

    second.reset();
    CHECK(eventually([&] {
        client again(server.port());
        again.send(get_text("/plain"));
        return again.answer().status == 200;
    }));
}

TEST_CASE("a request that is not complete in time gets 408, however its bytes drip") {
    limits bounds;
    bounds.request_timeout = 100ms;
    running_server server(bounds);
    const auto timeouts_before = timeouts_total.value();
    client c(server.port());
    const auto begun = std::chrono::steady_clock::now();

    SECTION("in its header") {
        c.send("GET /plain HTTP/1.1\r\nX: ");
        while (!c.readable(10ms) && std::chrono::steady_clock::now() - begun < patience)
            c.send("x");
    }
    SECTION("in its body") {
        c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n");
        while (!c.readable(10ms) && std::chrono::steady_clock::now() - begun < patience)
            c.send("x");
    }
    SECTION("behind another that was") {
        c.send(get_text("/plain") + "GET /pl");
        CHECK(c.answer().status == 200);
        while (!c.readable(10ms) && std::chrono::steady_clock::now() - begun < patience)
            c.send("x");
    }
    SECTION("behind one that is still in work") {
        c.send(get_text("/hold") + "GET /pl");
        REQUIRE(server.holds(1));
        REQUIRE(eventually([&] { return timeouts_total.value() > timeouts_before; }));
        server.answer_held({0});
        CHECK(c.answer().body == "0");
    }
    const received late = c.answer();
    CHECK(late.status == 408);
    CHECK(late.code() == "request_timeout");
    CHECK(late.has("Connection: close"));
    CHECK(std::chrono::steady_clock::now() - begun >= 100ms);
    CHECK(timeouts_total.value() == timeouts_before + 1);
    c.end_sending();
    CHECK(c.ended());
}

TEST_CASE("an idle connection is closed without a word") {
    limits bounds;
    bounds.idle_timeout = 1s;  // long enough for a first request
    running_server server(bounds);
    client silent(server.port());
    client used(server.port());
    used.get("/plain");
    CHECK(used.answer().status == 200);
    client blank(server.port());
    while (!blank.readable(10ms) && blank.send("\r\n")) {
    }
    CHECK(silent.ended());
    CHECK(used.ended());
    CHECK(blank.ended());
}

TEST_CASE("a request in work has no deadline here") {
    limits bounds;
    bounds.idle_timeout = 1s;  // as above
    bounds.request_timeout = 1ms;
    running_server server(bounds);
    client c(server.port());
    c.get("/hold");
    REQUIRE(server.holds(1));
    client idle(server.port());
    CHECK(idle.ended());
    client idle_too(server.port());
    CHECK(idle_too.ended());
    server.answer_held({0});
    CHECK(c.answer().body == "0");
}

TEST_CASE("a client that does not read is given up") {
    limits bounds;
    bounds.write_timeout = 100ms;
    running_server server(bounds);
    const auto timeouts_before = timeouts_total.value();
    const auto open_before = connections_open.value();
    client c(server.port(), 4'096);
    for (int i = 0; i < 20; ++i)
        c.get("/big");
    CHECK(eventually([&] { return timeouts_total.value() == timeouts_before + 1; }));
    CHECK(eventually([&] { return connections_open.value() <= open_before; }));
}

TEST_CASE("a client that reads slowly but in time gets everything") {
    running_server server;
    client c(server.port(), 4'096);
    std::string text;
    for (int i = 0; i < 5; ++i)
        text += get_text("/big") + get_text("/later/x");
    c.send(text);
    for (int i = 0; i < 5; ++i) {
        CHECK(c.answer().body.size() == 1'000'000);
        CHECK(c.answer().body == "\"x\"");
    }
}

TEST_CASE("a connection that was busy gives its memory back and goes on") {
    running_server server;
    client c(server.port());
    const std::string body(16'384, 'b');
    for (int round = 0; round < 2; ++round) {
        c.send(std::string(post_echo) + "Content-Length: 16384\r\n\r\n" + body);
        CHECK(c.answer().body == body);
        // Two sweeps and more; there is nothing to see from outside but that it still works.
        std::this_thread::sleep_for(600ms);
    }
    c.get("/plain");
    CHECK(c.answer().status == 200);
}

TEST_CASE("stop ends what is idle and finishes what is not") {
    running_server server({}, 2);
    const auto port = server.port();
    client idle(port);    // on the first worker
    client unused(port);  // on the second
    client busy(port);    // on the first
    idle.get("/plain");
    CHECK(idle.answer().status == 200);
    busy.get("/hold");
    busy.get("/hold");
    REQUIRE(server.holds(2));
    client half(port);  // on the second
    // The answer to the first proves that the beginning of the second has been read with it.
    half.send(get_text("/plain") + "GET /plain HTTP/1.1\r\n");
    CHECK(half.answer().status == 200);
    unused.get("/plain");
    CHECK(unused.answer().status == 200);

    server.it().stop();
    CHECK(idle.ended());
    CHECK(unused.ended());
    CHECK_FALSE(server.it().drained());
    CHECK(eventually([&] { return !client(0).try_connect(port); }));

    half.send("Host: a\r\n\r\n");
    CHECK(half.answer().has("Connection: close"));
    CHECK(half.ended());
    server.answer_held({0});
    server.answer_held({1});
    CHECK_FALSE(busy.answer().has("Connection: close"));
    CHECK(busy.answer().has("Connection: close"));
    CHECK(busy.ended());
    idle.close();
    unused.close();
    busy.close();
    half.close();
    CHECK(eventually([&] { return server.it().drained(); }));
}

TEST_CASE("abort closes what is left") {
    running_server server;
    client c(server.port());
    c.get("/hold");
    REQUIRE(server.holds(1));
    server.it().stop();
    server.it().abort();
    CHECK(c.ended());
    CHECK(eventually([&] { return server.it().drained(); }));
}

TEST_CASE("a server may end without having run, and with its loop stopped under it") {
    asio::io_context io{1};
    router routes;
    routes.add({.verb = method::get,
                .pattern = "/plain",
                .who_may = callers::anybody(),
                .handle = [](const request&, exchange reply) { reply.answer({.status = 200}); }});
    {
        flashsale::http::server never_run("127.0.0.1", 0, {}, {{io, routes}});
        never_run.start();
    }
    flashsale::http::server stopped("127.0.0.1", 0, {}, {{io, routes}});
    stopped.start();
    std::thread thread([&] { io.run(); });
    client c(stopped.port());
    c.get("/plain");
    CHECK(c.answer().status == 200);
    io.stop();
    thread.join();
}

TEST_CASE("connections go to the workers in turn") {
    running_server server({}, 3);
    std::array<int, 3> seen{};
    for (int i = 0; i < 6; ++i) {
        client c(server.port());
        c.get("/thread");
        ++seen.at(std::stoul(c.answer().body));
    }
    CHECK(seen == std::array{2, 2, 2});
}

TEST_CASE("a server cannot listen where another does") {
    running_server server;
    asio::io_context io;
    router routes;
    CHECK_THROWS_AS(flashsale::http::server("127.0.0.1", server.port(), {}, {{io, routes}}),
                    boost::system::system_error);
    CHECK_THROWS_AS(flashsale::http::server("no address", 0, {}, {{io, routes}}),
                    boost::system::system_error);
    CHECK_THROWS_AS(flashsale::http::server("127.0.0.1", 0, {}, {}), std::invalid_argument);
}

TEST_CASE("lack of file descriptors delays accepting and does not end it") {
    running_server server;
    client c(0);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit none = before;
    none.rlim_cur = 3;
    const auto errors_before = accept_errors_total.value();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    const auto begun = std::chrono::steady_clock::now();
    const bool connected = c.try_connect(server.port());
    const bool failed =
        eventually([&] { return accept_errors_total.value() >= errors_before + 3; });
    const auto elapsed = std::chrono::steady_clock::now() - begun;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(connected);
    CHECK(failed);
    CHECK(elapsed >= 100ms);
    c.get("/plain");
    CHECK(c.answer().status == 200);
}
