// What every answer has beside its body: a name, who may keep it, and its place in the metrics.

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <set>
#include <sstream>

#include "server_fixture.hpp"

using namespace flashsale;
using namespace flashsale::http;

TEST_CASE("every answer has the request's name: the client's, or one made here") {
    running_server server({}, 2);
    std::set<std::string> made;
    for (int i = 0; i < 2; ++i) {  // on either worker
        client c(server.port());
        for (const auto* path : {"/plain", "/later/x", "/nowhere", "/drop", "/person/none"}) {
            c.get(path);
            const received answer = c.answer();
            made.insert(answer.header("X-Request-Id"));
            if (answer.status != 200) {
                CHECK(boost::json::parse(answer.body).at("request_id").as_string() ==
                      answer.header("X-Request-Id"));
            }
        }
        c.get("/nowhere", "X-Request-Id: from-the-proxy\r\n");
        const received taken = c.answer();
        CHECK(taken.header("X-Request-Id") == "from-the-proxy");
        CHECK(boost::json::parse(taken.body).at("request_id").as_string() == "from-the-proxy");
        // One that cannot be taken is replaced.
        c.get("/plain", "X-Request-Id: two words\r\n");
        made.insert(c.answer().header("X-Request-Id"));
        c.send("GARBAGE\r\n\r\n");
        made.insert(c.answer().header("X-Request-Id"));
    }
    CHECK(made.size() == 14);
    CHECK_FALSE(made.contains(""));
}

TEST_CASE("answers that leave out of turn keep their requests' names") {
    running_server server;
    client c(server.port());
    for (const auto* name : {"a", "b", "c"})
        c.get("/hold", "X-Request-Id: " + std::string(name) + "\r\n");
    REQUIRE(server.holds(3));
    server.answer_held({2, 0, 1});
    for (const auto* name : {"a", "b", "c"})
        CHECK(c.answer().header("X-Request-Id") == name);
}

TEST_CASE("log lines about a request have its name") {
    std::ostringstream text;
    const auto before = spdlog::default_logger();
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)));
    {
        running_server server;
        client c(server.port());
        for (const auto* path : {"/throw", "/later/throw", "/drop"}) {
            c.get(path, "X-Request-Id: named" + std::string(path) + "\r\n");
            CHECK(c.answer().status == 500);
        }
        c.get("/throw");
        text << c.answer().header("X-Request-Id") << " was made\n";
    }
    spdlog::set_default_logger(before);
    const std::string log = text.str();
    INFO(log);
    for (const std::string line :
         {"request named/throw: the handler of /throw threw: on purpose",
          "request named/later/throw: the handler of /later/{what} threw: on purpose",
          "request named/drop was dropped without an answer"}) {
        INFO(line);
        CHECK(log.find(line) != std::string::npos);
    }
    const std::string made = log.substr(log.rfind('\n', log.size() - 2) + 1);
    CHECK(log.find("request " + made.substr(0, made.find(' ')) + ": the handler of /throw") !=
          std::string::npos);
}

TEST_CASE("no cache keeps an answer, unless its route says who may") {
    running_server server;
    client c(server.port());
    const auto control = [&](std::string_view path, std::string_view headers = {}) {
        c.get(path, headers);
        return c.answer().header("Cache-Control");
    };
    CHECK(control("/plain") == "no-store");
    CHECK(control("/later/x") == "no-store");
    CHECK(control("/nowhere") == "no-store");
    CHECK(control("/person/ada") == "private, no-cache");
    CHECK(control("/catalogue/lamp") == "public, max-age=5");
    CHECK(control("/person/none") == "no-store");
    CHECK(control("/catalogue/none") == "no-store");
    c.send("GARBAGE\r\n\r\n");
    CHECK(c.answer().header("Cache-Control") == "no-store");
}

TEST_CASE("what a cache has need not be sent again") {
    running_server server;
    client c(server.port());
    c.get("/person/ada");
    const std::string tag = c.answer().header("ETag");
    REQUIRE(tag.size() > 3);
    const auto again = [&](std::string_view path, const std::string& if_none_match) {
        c.get(path, "If-None-Match: " + if_none_match + "\r\n");
        return c.answer();
    };
    for (const std::string& names : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
        INFO(names);
        const received same = again("/person/ada", names);
        CHECK(same.status == 304);
        CHECK(same.header("ETag") == tag);
        CHECK(same.header("Cache-Control") == "private, no-cache");
        CHECK(same.body.empty());
        CHECK(same.header("Content-Type").empty());
        CHECK(same.header("Content-Length").empty());
    }
    CHECK(again("/person/bob", tag).body == "\"bob\"");
    CHECK(again("/person/ada", tag.substr(1, tag.size() - 2)).status == 200);
    CHECK(again("/person/none", "*").status == 404);
    CHECK(again("/plain", "*").status == 200);
    CHECK(again("/catalogue/ada", tag).status == 304);
}

TEST_CASE("what the client may not use here is no failure of the server's") {
    running_server server;
    const auto unsupported = answers_unsupported_total.value();
    const auto server_errors = answers_5xx_total.value();
    client other_version(server.port());
    other_version.send("GET /plain HTTP/2.0\r\nHost: a\r\n\r\n");
    CHECK(other_version.answer().status == 505);
    client other_coding(server.port());
    other_coding.send(std::string(post_echo) + "Transfer-Encoding: gzip\r\n\r\n");
    CHECK(other_coding.answer().status == 501);
    CHECK(eventually([&] { return answers_unsupported_total.value() - unsupported == 2; }));
    CHECK(answers_5xx_total.value() == server_errors);
}
