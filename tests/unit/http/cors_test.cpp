// Pages of other origins.

#include "cors.hpp"

#include "server_fixture.hpp"

using namespace flashsale;
using namespace flashsale::http;

namespace {

limits letting_in(std::vector<std::string> origins) {
    limits bounds;
    bounds.cors_origins = std::move(origins);
    return bounds;
}

received ask(client& c, const std::string& start_line, const std::string& headers = {}) {
    c.send(start_line + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
    return c.answer();
}

const std::string shop = "Origin: https://shop.example\r\n";
const std::string asks_to_post =
    "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: idempotency-key\r\n";

bool says_anything(const received& answer) {
    return answer.head.find("Access-Control-") != std::string::npos;
}

}  // namespace

TEST_CASE("cors: nothing is said of it where no origin is configured") {
    running_server server;
    client c(server.port());
    for (const received& answer :
         {ask(c, "GET /plain", shop), ask(c, "OPTIONS /echo", shop + asks_to_post),
          ask(c, "GET /nowhere", shop)}) {
        CHECK_FALSE(says_anything(answer));
        CHECK(answer.header("Vary").empty());
    }
}

TEST_CASE("cors: an origin that is let in is named, and what its pages may read") {
    running_server server(letting_in({"https://shop.example", "http://localhost:3000"}));
    client c(server.port());
    for (const std::string path : {"/plain", "/later/x", "/person/ada", "/nowhere", "/drop"}) {
        INFO(path);
        const received answer = ask(c, "GET " + path, shop);
        CHECK(answer.header("Access-Control-Allow-Origin") == "https://shop.example");
        CHECK(answer.header("Vary") == "Origin");
        const std::string exposed = ", " + answer.header("Access-Control-Expose-Headers") + ",";
        for (const std::string name : {"Location", "Retry-After", "X-Request-Id", "ETag",
                                       "Idempotency-Key", "Idempotent-Replayed", "Allow"}) {
            INFO(name);
            CHECK(exposed.find(", " + name + ",") != std::string::npos);
        }
        CHECK(answer.header("Access-Control-Allow-Credentials").empty());
    }
    CHECK(ask(c, "GET /plain", "Origin: http://localhost:3000\r\n")
              .header("Access-Control-Allow-Origin") == "http://localhost:3000");
}

TEST_CASE("cors: an origin that is not let in is told nothing, and caches are told why") {
    running_server server(letting_in({"https://shop.example"}));
    client c(server.port());
    for (const std::string origin :
         {"", "Origin: https://evil.example\r\n", "Origin: null\r\n",
          "Origin: https://shop.example.evil\r\n", "Origin: https://shop.example:8443\r\n",
          "Origin: http://shop.example\r\n", "Origin: HTTPS://shop.example\r\n", "Origin: *\r\n",
          "Origin:\r\n"}) {
        INFO(origin);
        const received answer = ask(c, "GET /plain", origin);
        CHECK(answer.status == 200);
        CHECK_FALSE(says_anything(answer));
        CHECK(answer.header("Vary") == "Origin");
        const received preflight = ask(c, "OPTIONS /echo", origin + asks_to_post);
        CHECK(preflight.status == 204);
        CHECK_FALSE(says_anything(preflight));
    }
    // Two are no origin.
    CHECK(ask(c, "GET /plain", shop + shop).code() == "bad_request");
    // What is no request has no origin either.
    c.send("GARBAGE\r\n\r\n");
    CHECK(c.answer().header("Vary") == "Origin");
}

TEST_CASE("cors: a preflight is answered with what the path has and takes") {
    running_server server(letting_in({"https://shop.example"}));
    client c(server.port());
    const received answer = ask(c, "OPTIONS /echo", shop + asks_to_post);
    CHECK(answer.status == 204);
    CHECK(answer.header("Access-Control-Allow-Origin") == "https://shop.example");
    CHECK(answer.header("Access-Control-Allow-Methods") == "POST, PATCH, OPTIONS");
    const std::string taken = ", " + answer.header("Access-Control-Allow-Headers") + ",";
    for (const std::string name :
         {"Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-Id", "Authorization"}) {
        INFO(name);
        CHECK(taken.find(", " + name + ",") != std::string::npos);
    }
    CHECK(answer.header("Access-Control-Max-Age") == "600");
    CHECK(answer.head.find("Vary: Access-Control-Request-Method") != std::string::npos);
    CHECK(answer.header("Access-Control-Allow-Credentials").empty());
    // Without the question it is an OPTIONS like another.
    CHECK(ask(c, "OPTIONS /echo", shop).header("Access-Control-Allow-Methods").empty());
    CHECK(ask(c, "GET /plain", shop + asks_to_post).header("Access-Control-Allow-Methods").empty());
    const received nowhere = ask(c, "OPTIONS /nowhere", shop + asks_to_post);
    CHECK(nowhere.status == 404);
    CHECK(nowhere.header("Access-Control-Allow-Origin") == "https://shop.example");
}

TEST_CASE("cors: any origin may be let in, and then one answer is for all") {
    running_server server(letting_in({"*"}));
    client c(server.port());
    for (const std::string origin : {"", "Origin: null\r\n", "Origin: https://a.example\r\n"}) {
        INFO(origin);
        const received answer = ask(c, "GET /plain", origin);
        CHECK(answer.header("Access-Control-Allow-Origin") == "*");
        CHECK(answer.header("Vary").empty());
    }
    CHECK(ask(c, "OPTIONS /echo", shop + asks_to_post).header("Access-Control-Allow-Methods") ==
          "POST, PATCH, OPTIONS");
}

TEST_CASE("cors: what answers late, and what refuses, says it too") {
    limits bounds = letting_in({"https://shop.example"});
    bounds.request_timeout = 100ms;
    bounds.connections_max = 1;
    running_server server(bounds);
    client c(server.port());
    c.get("/hold", shop);
    c.get("/hold");
    REQUIRE(server.holds(2));
    client refused(server.port());
    CHECK(refused.answer().header("Vary") == "Origin");
    server.answer_held({1, 0});
    CHECK(c.answer().header("Access-Control-Allow-Origin") == "https://shop.example");
    CHECK_FALSE(says_anything(c.answer()));
    c.send("GET /pl");
    const received late = c.answer();
    CHECK(late.status == 408);
    CHECK(late.header("Vary") == "Origin");
}
