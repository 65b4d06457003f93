#include <catch2/catch.hpp>

#include "config.hpp"
#include "reload.hpp"

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

TEST_CASE("config: origins are as browsers write them, or all, and there is none by default") {
    CHECK(parse_config("{}", "file.json", nullptr).cors_origins().empty());
    CHECK(parse_config(R"({"http":{"cors_origins":""}})", "file.json", nullptr)
              .cors_origins()
              .empty());
    CHECK(parse_config(R"({"http":{"cors_origins":"*"}})", "file.json", nullptr).cors_origins() ==
          std::vector<std::string>{"*"});
    CHECK(parse_config(
              R"({"http":{"cors_origins":"https://shop.example,http://[::1]:3000,app://x"}})",
              "file.json", nullptr)
              .cors_origins() ==
          std::vector<std::string>{"https://shop.example", "http://[::1]:3000", "app://x"});
    for (const std::string wrong :
         {",", "https://a,", "https://a, https://b", "shop.example", "https://", "null",
          "*,https://a", "https://a/", "https://a/b", "https://A", "HTTPS://a", "https://a:443",
          "http://a:80", "https://a:", "https://u@a", "https://*.a", "://a", "1://a",
          "https://a?b"}) {
        INFO(wrong);
        CHECK(error_of(R"({"http":{"cors_origins":")" + wrong + "\"}}")
                  .find("file.json: http.cors_origins: expected") == 0);
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
              .starts_with("file.json: redis.url: an unknown scheme; expected redis://"));
    CHECK(error_of(R"({"redis":{"key_prefix":"a b"}})").starts_with("file.json: redis.key_prefix"));
    CHECK(
        error_of("{}", {"FLASHSALE_HTTP__PORT=eighty"}) ==
        "environment: FLASHSALE_HTTP__PORT: expected an integer from 0 to 65535, found \"eighty\"");
    CHECK(error_of("{}", {"FLASHSALE_HTTP__PROT=80"}) ==
          "environment: FLASHSALE_HTTP__PROT: unknown key");
    CHECK(error_of(R"({"recovery":{"sweep_interval_ms":80}})")
              .starts_with("file.json: recovery.sweep_interval_ms: it is called "
                           "recovery.reconcile_interval_ms now"));
    CHECK(error_of("{}", {"FLASHSALE_RECOVERY__SWEEP_INTERVAL_MS=80"}) ==
          "environment: FLASHSALE_RECOVERY__SWEEP_INTERVAL_MS: it is called "
          "recovery.reconcile_interval_ms now");
    CHECK(error_of(R"({"stock":{"gate":"database"},"redis":{"url":"redis://a:1/0,redis://b:1/0"}})")
              .starts_with("redis.url: the database gate has one shard"));
}

TEST_CASE("config: every URL and address is parsed where it is read, by whoever will use it") {
    const auto refused = [](const char* key, const char* value) {
        const std::string path = key;
        const auto dot = path.find('.');
        const std::string text = "{\"" + path.substr(0, dot) + "\":{\"" + path.substr(dot + 1) +
                                 "\":\"" + value + "\"}}";
        const std::string error = error_of(text);
        CAPTURE(key, value, error);
        CHECK(error.starts_with("file.json: " + path + ": "));
        CHECK(error.find("expected ") != std::string::npos);
        CHECK(error.find("hunter2") == std::string::npos);
    };
    for (const char* url : {"amqp://u:hunter2#x@h/%2f", "amqp://h/%2f?heartbeat=10",
                            "amqp://h1,h2/%2f", "amqp://h/a/vhost", "amqp://u:hunter2@h@i/"})
        refused("amqp.url", url);
    for (const char* url : {"redis://h:x", "redis://h,http://i", "redis://h, redis://i",
                            "redis://h,", "redis://u:hunter2,x@h", "redis://hunter2@h"})
        refused("redis.url", url);
    for (const char* key : {"postgres.user_url", "postgres.stock_url", "postgres.order_url"}) {
        for (const char* url : {"host=h password=hunter2", "postgresql://u:hunter2@x@h/d",
                                "postgresql://h/d?sslmode=maybe", "postgresql://h:1,i:2,j:x/d"})
            refused(key, url);
    }
    for (const char* address : {"localhost", "127.0.0.1:80", "[::1]", "1.2.3", "*"})
        refused("http.address", address);
    CHECK(error_of(R"({"http":{"address":"::1"}})") == "accepted");
    refused("amqp.namespace", "amq.shop");
    CHECK(error_of(R"({"sqlite":{"folder":"a\u0000b"}})").find("sqlite.folder") !=
          std::string::npos);
}

TEST_CASE("config: an empty environment variable is as none") {
    const char* environment[] = {
        "FLASHSALE_HTTP__PORT=", "FLASHSALE_REDIS__URL=", "FLASHSALE_NO__SUCH=", nullptr};
    const config read = parse_config(R"({"http":{"port":9000}})", "file.json", environment);
    CHECK(read.http.port == 9'000);
    CHECK(read.redis.url == "redis://127.0.0.1:6379/0");
}

TEST_CASE("config: a byte order mark is skipped, and a key given twice is refused") {
    const config read =
        parse_config("\xef\xbb\xbf{\"http\":{\"port\":9000}}", "file.json", nullptr);
    CHECK(read.http.port == 9'000);
    CHECK(error_of("{\n\"http\": {\"port\": 1,\n\"port\": 2}}") ==
          "file.json:3: http.port: given twice");
    CHECK(error_of("{\"http\": {}, // \"log\": {}\n\"log\": {},\n\"http\": {}}") ==
          "file.json:3: http: given twice");
    CHECK(error_of(R"({"http": {"p\u006frt": 1, "port": 2}})") ==
          "file.json:1: http.port: given twice");
    CHECK(error_of("{\"http\": {\"port\": 1}, \"log\": {\"level\": \"info\"}}") == "accepted");
    CHECK(error_of("{").starts_with("file.json:1: expected JSON"));
    CHECK(error_of("").starts_with("file.json:1: expected JSON"));
}

TEST_CASE("config: no secret reaches people's screens, wherever it was written by mistake") {
    CHECK(without_password("amqp://shop:hunter2@10.0.0.1:5672/%2f") ==
          "amqp://shop:***@10.0.0.1:5672/%2f");
    CHECK(without_password("redis://10.0.0.1:6379/0,redis://:hunter2@10.0.0.2/1") ==
          "redis://10.0.0.1:6379/0,redis://:***@10.0.0.2:6379/1");
    CHECK(without_password("postgresql://u:hunter2@h/d?password=hunter2") ==
          "postgresql://u:***@h/d");
    CHECK(without_password("password=hunter2") == "a URL that is not shown");
    for (const char* text :
         {R"({"amqp":{"url":"http://u:hunter2@h"}})", R"({"amqp":{"url":{"password":"hunter2"}}})",
          R"({"amqp":{"url":["hunter2"]}})", R"({"redis":{"key_prefix":"redis://:hunter2@h"}})",
          R"({"stock":{"gate":"password=hunter2"}})", R"({"http":{"port":"u:hunter2@h"}})",
          R"({"redis":{"url":"redis://h/0,redis://u:hunter2@h:x"}})",
          R"({"http":{"port":{"secret":"hunter2"}}})"}) {
        CAPTURE(text);
        const std::string error = error_of(text);
        CHECK(error.find("expected") != std::string::npos);
        CHECK(error.find("hunter2") == std::string::npos);
    }
    CHECK(
        error_of("{}", {"FLASHSALE_POSTGRES__USER_URL=host=h password=hunter2"}).find("hunter2") ==
        std::string::npos);
}

TEST_CASE("config: what a running process can take over, and what waits for the next start") {
    const auto parse = [](std::string_view text) { return parse_config(text, "f", nullptr); };
    config running = parse("{}");
    const auto changes = take_changes(
        running, parse(R"({"log":{"level":"debug"},"http":{"idle_timeout_ms":50,"port":9},
                           "redis":{"url":"redis://h"},"recorder":{"enabled":false}})"));
    CHECK(changes.taken == std::vector<std::string_view>{"http.idle_timeout_ms", "log.level"});
    CHECK(changes.waiting ==
          std::vector<std::string_view>{"http.port", "recorder.enabled", "redis.url"});
    CHECK(running.log.level == "debug");
    CHECK(running.http.idle_timeout_ms == 50);
    CHECK(running.http.port == 8'080);
    // What waits is said again, what is taken is not.
    const auto again = take_changes(running, parse(R"({"log":{"level":"debug"},
                                    "http":{"idle_timeout_ms":50,"port":9}})"));
    CHECK(again.taken.empty());
    CHECK(again.waiting == std::vector<std::string_view>{"http.port"});
}
