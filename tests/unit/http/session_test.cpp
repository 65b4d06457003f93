// What one connection sees.

#include "server_fixture.hpp"

using namespace flashsale;
using namespace flashsale::http;

TEST_CASE("a connection carries one request after the other") {
    running_server server;
    client c(server.port());
    for (int i = 0; i < 3; ++i) {
        c.get("/plain");
        const received answer = c.answer();
        CHECK(answer.status == 200);
        CHECK(answer.body == "\"plain\"");
        CHECK(answer.has("Content-Type: application/json"));
        CHECK(answer.head.find("\r\nDate: ") != std::string::npos);
        CHECK(answer.head.find("Connection:") == std::string::npos);
    }
    c.send("HEAD /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    const received head = c.answer(false);
    CHECK(head.has("Content-Length: 7"));
    c.get("/nowhere");
    CHECK(c.answer().code() == "not_found");
    c.send("BREW /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    const received refused = c.answer();
    CHECK(refused.status == 405);
    CHECK(refused.has("Allow: GET, HEAD, OPTIONS"));
}

TEST_CASE("a request knows its client's address, in IPv4 also at a socket of both families") {
    running_server server;
    client c(server.port());
    for (int i = 0; i < 2; ++i) {
        c.get("/client");
        CHECK(c.answer().body == "\"127.0.0.1\"");
    }
    asio::io_context io{1};
    router routes;
    routes.add({.verb = method::get,
                .pattern = "/client",
                .who_may = callers::anybody(),
                .handle = [](const request& incoming, exchange reply) {
                    reply.answer({.status = 200, .body = incoming.client.to_string()});
                }});
    flashsale::http::server both("::", 0, {}, {{io, routes}});
    both.start();
    std::thread thread([&] { io.run(); });
    client by_ipv4(both.port());
    by_ipv4.get("/client");
    CHECK(by_ipv4.answer().body == "127.0.0.1");
    both.abort();
    thread.join();
}

TEST_CASE("OPTIONS names the methods of a path, and of the server") {
    running_server server;
    client c(server.port());
    const auto ask = [&](const std::string& start_line) {
        c.send(start_line + " HTTP/1.1\r\nHost: a\r\n\r\n");
        return c.answer();
    };
    const received of_path = ask("OPTIONS /echo");
    CHECK(of_path.status == 204);
    CHECK(of_path.header("Allow") == "POST, PATCH, OPTIONS");
    CHECK(of_path.header("Content-Length").empty());
    CHECK(ask("OPTIONS /later/x?any=1").header("Allow") == "GET, HEAD, OPTIONS");
    const received of_all = ask("OPTIONS *");
    CHECK(of_all.status == 204);
    CHECK(of_all.header("Allow") == "GET, HEAD, POST, PATCH, OPTIONS");
    CHECK(ask("OPTIONS /nowhere").status == 404);
    CHECK(ask("GET *").status == 404);
    CHECK(ask("DELETE /echo").status == 405);
}

TEST_CASE("a connection ends when either side says so") {
    running_server server;
    SECTION("Connection: close") {
        client c(server.port());
        c.get("/plain", "Connection: close\r\n");
        c.send(get_text("/plain"));
        CHECK(c.answer().has("Connection: close"));
        CHECK(c.ended());
    }
    SECTION("HTTP/1.0") {
        client c(server.port());
        c.send("GET /plain HTTP/1.0\r\n\r\n");
        CHECK(c.answer().has("Connection: close"));
        CHECK(c.ended());
    }
    SECTION("HTTP/1.0 with keep-alive") {
        client c(server.port());
        for (int i = 0; i < 2; ++i) {
            c.send("GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
            CHECK(c.answer().has("Connection: keep-alive"));
        }
    }
    SECTION("a malformed request") {
        client c(server.port());
        c.send(get_text("/plain") + "GARBAGE\r\n\r\n" + get_text("/plain"));
        CHECK(c.answer().status == 200);
        const received refused = c.answer();
        CHECK(refused.status == 400);
        CHECK(refused.code() == "bad_request");
        CHECK(refused.has("Connection: close"));
        CHECK(refused.has("Content-Type: application/problem+json"));
        CHECK(c.ended());
    }
}

TEST_CASE("a client that ends its half still gets its answers") {
    running_server server;
    client c(server.port());
    c.get("/hold");
    c.get("/plain");
    c.end_sending();
    REQUIRE(server.holds(1));
    server.answer_held({0});
    CHECK(c.answer().body == "0");
    CHECK(c.answer().body == "\"plain\"");
    CHECK(c.ended());
}

TEST_CASE("pipelined requests are answered in their order") {
    running_server server;
    client c(server.port());
    std::string text;
    for (int i = 0; i < 6; ++i)
        text += get_text("/hold");
    text += get_text("/plain");
    c.send(text);
    REQUIRE(server.holds(6));
    server.answer_held({3, 5, 1});
    CHECK_FALSE(c.readable(20ms));
    server.answer_held({0});
    CHECK(c.answer().body == "0");
    CHECK(c.answer().body == "1");
    server.answer_held({4});
    server.answer_held({2});
    for (const auto* expected : {"2", "3", "4", "5", "\"plain\""})
        CHECK(c.answer().body == expected);
}

TEST_CASE("answers that are ready together leave together") {
    running_server server;
    client c(server.port());
    std::string text;
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < 40; ++i) {
        text += get_text("/hold");
        all.push_back(i);
    }
    c.send(text);
    REQUIRE(server.holds(40));
    server.answer_held(all);
    for (const std::size_t i : all)
        CHECK(c.answer().body == std::to_string(i));
    CHECK(c.reads() == 1);

    text.clear();
    for (int i = 0; i < 20; ++i)
        text += get_text("/plain");
    c.send(text);
    for (int i = 0; i < 20; ++i)
        CHECK(c.answer().status == 200);
    // The requests may have arrived in two parts.
    CHECK(c.reads() <= 3);
}

TEST_CASE("a handler that fails answers 500 and the connection goes on") {
    running_server server;
    client c(server.port());
    for (const auto* path : {"/drop", "/throw", "/later/throw", "/throw-at-once"}) {
        INFO(path);
        c.get(path);
        const received answer = c.answer();
        CHECK(answer.status == 500);
        CHECK(answer.code() == "internal");
    }
    c.get("/later/this");
    CHECK(c.answer().body == "\"this\"");
}

TEST_CASE("an exchange may outlive its connection, and its server") {
    auto server = std::make_unique<running_server>();
    auto c = std::make_unique<client>(server->port());
    c->get("/hold");
    c->get("/hold");
    c->get("/hold");
    REQUIRE(server->holds(3));
    c.reset();
    // Its end shows only when something is written to it; the first answer finds it gone, or goes
    // nowhere.
    server->answer_held({1});
    auto held = server->take_held();
    server->on_worker([&] {
        held.erase(held.begin());
        return true;
    });
    client other(server->port());
    other.get("/plain");
    CHECK(other.answer().status == 200);
    server.reset();
    held.back().answer({.status = 200});
    held.clear();
    CHECK(other.ended());
}

TEST_CASE("a body arrives in any pieces") {
    running_server server;
    client c(server.port());
    const std::string body(16'384, 'b');
    for (int round = 0; round < 3; ++round) {
        c.send(std::string(post_echo) + "Content-Length: 16384\r\n\r\n");
        for (std::size_t at = 0; at < body.size(); at += 4'096)
            c.send(body.substr(at, 4'096));
        CHECK(c.answer().body == body);
    }
    // Many of them at once: the buffer is larger than one and smaller than all.
    std::string text;
    for (int i = 0; i < 10; ++i) {
        text += std::string(post_echo) + "Content-Length: 16384\r\n\r\n" + body;
    }
    std::thread sender([&] { c.send(text); });
    for (int i = 0; i < 10; ++i)
        CHECK(c.answer().body.size() == body.size());
    sender.join();
}

TEST_CASE("100 Continue is sent in its turn") {
    running_server server;
    client c(server.port());
    const std::string header =
        std::string(post_echo) + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    c.send(header);
    CHECK(c.answer().status == 100);
    c.send("{}");
    CHECK(c.answer().body == "{}");

    c.send(get_text("/hold") + header);
    REQUIRE(server.holds(1));
    CHECK_FALSE(c.readable(20ms));
    server.answer_held({0});
    CHECK(c.answer().body == "0");
    CHECK(c.answer().status == 100);
    c.send("{}");
    CHECK(c.answer().body == "{}");
}

TEST_CASE("a body in chunks arrives in any pieces, and the connection goes on") {
    running_server server;
    client c(server.port());
    const std::string body(16'384, 'b');
    std::string chunks;
    for (std::size_t at = 0; at < body.size(); at += 1'000) {
        const std::string data = body.substr(at, 1'000);
        std::array<char, 16> size{};
        std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
        chunks += size.data() + data + "\r\n";
    }
    chunks += "0\r\nTrailer: 1\r\n\r\n";
    const std::string text = std::string(post_echo) + "Transfer-Encoding: chunked\r\n\r\n" + chunks;
    for (const std::size_t piece : {text.size(), std::size_t{777}, std::size_t{4'096}}) {
        for (std::size_t at = 0; at < text.size(); at += piece)
            c.send(text.substr(at, piece));
        CHECK(c.answer().body == body);
    }
    c.send(text + get_text("/plain") + text);
    CHECK(c.answer().body == body);
    CHECK(c.answer().body == "\"plain\"");
    CHECK(c.answer().body == body);
    // What is left over of bad chunks is no request.
    c.send(std::string(post_echo) + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n" +
           get_text("/plain"));
    const received refused = c.answer();
    CHECK(refused.code() == "bad_request");
    CHECK(refused.has("Connection: close"));
    CHECK(c.ended());
}

TEST_CASE("requests are counted") {
    running_server server;
    const auto requests = requests_total.value();
    const auto client_errors = answers_4xx_total.value();
    const auto server_errors = answers_5xx_total.value();
    client c(server.port());
    c.get("/plain");
    c.answer();
    c.get("/nowhere");
    c.answer();
    c.get("/drop");
    c.answer();
    c.get("/plain");
    c.answer();
    CHECK(eventually([&] { return requests_total.value() - requests == 4; }));
    CHECK(answers_4xx_total.value() - client_errors == 1);
    CHECK(answers_5xx_total.value() - server_errors == 1);
}
