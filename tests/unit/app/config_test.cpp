#include <catch2/catch.hpp>

#include "config.hpp"

using namespace flashsale::app;

namespace {

std::string error_of(std::string_view text, std::vector<const char*> environment = {}) {
    environment.push_back(nullptr);
    try {
        parse_config(text, "file.json", environment.data());
    } catch (const config_error& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("config: what is left out has its default, comments are allowed") {
    const config read = parse_config("// a comment\n{ \"http\": { \"port\": 9000 /* here */ }, }",
                                     "file.json", nullptr);
    CHECK(read.http.port == 9'000);
    CHECK(read.http.body_bytes_max == 16'384);
    // Longer than a balancer keeps its own idle connections, which is commonly 60 s.
    CHECK(read.http.idle_timeout_ms == 75'000);
    CHECK(read.stock.gate == "redis");
    CHECK(read.recorder.enabled);
    CHECK(read.orders.confirm_deadline_ms == 2'000);
}

TEST_CASE("config: every default is within its own range") {
    CHECK(error_of("{}") == "accepted");
    for (const setting& one : settings()) {
        INFO(one.path);
        if (const auto* integer = std::get_if<setting::integer>(&one.value)) {
            CHECK(integer->fallback >= integer->min);
            CHECK(integer->fallback <= integer->max);
            CHECK(integer->max > integer->min);
        }
        CHECK_FALSE(one.meaning.empty());
    }
}

TEST_CASE("config: the environment goes over the file") {
    const char* environment[] = {"FLASHSALE_HTTP__PORT=9001",
                                 "FLASHSALE_RECORDER__ENABLED=false",
                                 "FLASHSALE_REDIS__URL=redis://10.0.0.1:1/0,unix:///r.sock",
                                 "FLASHSALE_AMQP__NAMESPACE=shop",
                                 "FLASHSALE_STACK=/anything",
                                 "OTHER=x",
                                 nullptr};
    const config read = parse_config(R"({"http":{"port":9000}})", "file.json", environment);
    CHECK(read.http.port == 9'001);
    CHECK_FALSE(read.recorder.enabled);
    CHECK(read.amqp.name_space == "shop");
    CHECK(read.redis_urls() == std::vector<std::string>{"redis://10.0.0.1:1/0", "unix:///r.sock"});
}

TEST_CASE("config: hosts are as they stand in Host, and none means any") {
    CHECK(parse_config("{}", "file.json", nullptr).hosts().empty());
    CHECK(parse_config(R"({"http":{"hosts":""}})", "file.json", nullptr).hosts().empty());
    CHECK(parse_config(R"({"http":{"hosts":"shop.example,[::1]:8080"}})", "file.json", nullptr)
              .hosts() == std::vector<std::string>{"shop.example", "[::1]:8080"});
    for (const std::string wrong : {",", "a,", "a, b", "http://a", "::1", "a/b", "u@a", " "}) {
        INFO(wrong);
        CHECK(error_of(R"({"http":{"hosts":")" + wrong + "\"}}")
                  .find("file.json: http.hosts: expected") == 0);
    }
}

TEST_CASE("config: who decides in memory must record too") {
    CHECK(error_of(R"({"stock":{"gate":"memory"},"recorder":{"enabled":false}})")
              .find("recorder.enabled: expected true") == 0);
    CHECK(error_of(R"({"stock":{"gate":"memory"}})") == "accepted");
}

TEST_CASE("config: an error names the line or the key, and what was expected") {
    CHECK(error_of("{\n\"http\": {\n\"port\" 80\n}\n}").starts_with("file.json:3: expected JSON"));
    CHECK(error_of(R"({"http":{"prot":80}})").starts_with("file.json: http.prot: unknown key"));
    CHECK(error_of(R"({"htpp":{"port":80}})").starts_with("file.json: htpp: unknown key"));
    CHECK(error_of(R"({"htpp":{}})").starts_with("file.json: htpp: unknown key"));
    CHECK(error_of(R"({"http":80})") == "file.json: http: expected a section, an object");
    CHECK(error_of(R"([])") == "file.json: expected a JSON object");
    CHECK(error_of(R"({"http":{"port":65536}})") ==
          "file.json: http.port: expected an integer from 0 to 65535, found 65536");
    CHECK(error_of(R"({"http":{"port":"80"}})") ==
          "file.json: http.port: expected an integer from 0 to 65535, found \"80\"");
    CHECK(error_of(R"({"http":{"port":80.0}})").starts_with("file.json: http.port: expected"));
    CHECK(error_of(R"({"stock":{"gate":"file"}})") ==
          R"(file.json: stock.gate: expected one of "redis" "database" "memory", found "file")");
    CHECK(error_of(R"({"recorder":{"enabled":1}})") ==
          "file.json: recorder.enabled: expected true or false, found 1");
    CHECK(error_of(R"({"redis":{"url":"http://x"}})")
              .starts_with("file.json: redis.url: expected redis://"));
    CHECK(error_of(R"({"redis":{"key_prefix":"a b"}})").starts_with("file.json: redis.key_prefix"));
    CHECK(
        error_of("{}", {"FLASHSALE_HTTP__PORT=eighty"}) ==
        "environment: FLASHSALE_HTTP__PORT: expected an integer from 0 to 65535, found \"eighty\"");
    CHECK(error_of("{}", {"FLASHSALE_HTTP__PROT=80"}) ==
          "environment: FLASHSALE_HTTP__PROT: unknown key");
    CHECK(error_of(R"({"stock":{"gate":"database"},"redis":{"url":"redis://a:1/0,redis://b:1/0"}})")
              .starts_with("redis.url: the database gate has one shard"));
}

TEST_CASE("config: passwords do not reach people's screens") {
    CHECK(without_password("amqp://shop:secret@10.0.0.1:5672/%2f") ==
          "amqp://shop:***@10.0.0.1:5672/%2f");
    CHECK(without_password("redis://10.0.0.1:6379/0") == "redis://10.0.0.1:6379/0");
    CHECK(error_of(R"({"amqp":{"url":"http://u:secret@h"}})").find("secret") == std::string::npos);
}
