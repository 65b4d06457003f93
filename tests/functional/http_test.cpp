// HTTP as proxies, caches, balancers and browsers really speak it.

#include <catch2/catch.hpp>

#include <future>

#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

/// What comes back on a connection of its own.
http_response raw(const flashsale_process& shop, const std::string& bytes) {
    auto client = shop.client();
    client.send_raw(bytes);
    return client.read_response();
}

std::string get_text(const std::string& target, const std::string& lines = "Host: x\r\n") {
    return "GET " + target + " HTTP/1.1\r\n" + lines + "\r\n";
}

std::string post_text(const std::string& path, const std::string& lines, const std::string& body) {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n" + body;
}

const std::string json_type = "Content-Type: application/json\r\n";

std::string order_of(std::int64_t user, std::int64_t product) {
    return json::serialize(
        json::value{{"user_id", user}, {"product_id", product}, {"quantity", 1}});
}

std::string chunked(const std::string& body, std::size_t piece) {
    std::string out;
    for (std::size_t at = 0; at < body.size(); at += piece) {
        const std::string data = body.substr(at, piece);
        std::array<char, 16> size{};
        std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
        out += size.data() + data + "\r\n";
    }
    return out + "0\r\n\r\n";
}

}  // namespace

TEST_CASE("http: an order in chunks is an order, and smuggling is refused") {
    const sandbox world(with_gate("memory"));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    const std::string order = order_of(user, product);
    const std::string te = "Transfer-Encoding: chunked\r\n";

    auto proxied = shop.client();
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, order.size()}) {
        proxied.send_raw(post_text("/v1/orders", json_type + te, chunked(order, piece)));
        CHECK(outcome(proxied.read_response()) == "201");
    }
    CHECK(available(client, product) == 7);

    const auto refused = [&](const std::string& lines, const std::string& body) {
        auto other = shop.client();
        other.send_raw(post_text("/v1/orders", json_type + lines, body) + get_text("/livez"));
        const auto answer = other.read_response();
        CHECK(answer.header("connection") == "close");
        CHECK(other.closed_by_server(10s));
        return outcome(answer);
    };
    const std::string length = "Content-Length: " + std::to_string(order.size()) + "\r\n";
    CHECK(refused(te + length, chunked(order, 9)) == "400 bad_request");
    CHECK(refused(length + te, chunked(order, 9)) == "400 bad_request");
    CHECK(refused(te + te, chunked(order, 9)) == "400 bad_request");
    CHECK(refused("Transfer-Encoding: gzip, chunked\r\n", chunked(order, 9)) ==
          "501 not_implemented");
    CHECK(refused("Transfer-Encoding:\r\n chunked\r\n", chunked(order, 9)) == "400 bad_request");
    CHECK(refused(te, "1\n{\r\n0\r\n\r\n") == "400 bad_request");
    CHECK(refused(te, "1;" + std::string(1'000, 'e') + "\r\n{\r\n0\r\n\r\n") == "400 bad_request");
    CHECK(refused(te, "0\r\nT: " + std::string(9'000, 't') + "\r\n\r\n") ==
          "431 headers_too_large");
    CHECK(refused(te, "4001\r\n" + std::string(0x4001, ' ')) == "413 body_too_large");
    CHECK(available(client, product) == 7);
}

TEST_CASE("http: a page of another origin cannot post, and a body says what it is") {
    const sandbox world(with_gate("memory"));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    const std::string restock = "/v1/products/" + std::to_string(product) + "/restock";
    const auto posted = [&](const std::string& path, const std::string& lines,
                            const std::string& body) {
        return outcome(raw(
            shop, post_text(path, lines + "Content-Length: " + std::to_string(body.size()) + "\r\n",
                            body)));
    };
    const std::string order = order_of(user, product);
    for (const std::string lines :
         {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
          "Content-Type: multipart/form-data; boundary=x\r\n",
          "Content-Type: application/json\r\nContent-Type: application/json\r\n",
          "Content-Type: application/json; charset=utf-16\r\n",
          "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"}) {
        INFO(lines);
        for (const auto& [path, body] :
             {std::pair{restock, std::string(R"({"quantity":5})")},
              std::pair{std::string("/v1/orders"), order},
              std::pair{std::string("/v1/users"), std::string(R"({"username":"b"})")},
              std::pair{std::string("/v1/products"),
                        std::string(R"({"name":"n","price":1,"stock":1})")}}) {
            CHECK(posted(path, lines, body) == "415 unsupported_media_type");
        }
    }
    CHECK(available(client, product) == 10);
    CHECK(world.number(sandbox::database::user, "SELECT count(*) FROM users") == 1);
    CHECK(posted(restock, "Content-Type: application/json; charset=\"UTF-8\"\r\n",
                 R"({"quantity":5})") == "200");
    CHECK(posted("/v1/orders", json_type + "Content-Encoding: identity\r\n", order) == "201");
    CHECK(available(client, product) == 14);
}

TEST_CASE("http: no cache keeps an order, and a catalogue only if it is told to") {
    const sandbox world(with_gate("memory"));
    {
        const flashsale_process shop(world);
        auto client = shop.client();
        const auto user = make_user(client, "u");
        const auto product = make_product(client, 10);
        const auto placed = place_order(client, user, product, 1);
        CHECK(placed.header("cache-control") == "no-store");
        for (const std::string& path :
             {placed.header("location"), "/v1/users/" + std::to_string(user)}) {
            INFO(path);
            const auto mine = client.get(path);
            CHECK(mine.status == 200);
            CHECK(mine.header("cache-control") == "private, no-cache");
            const auto same = client.get(path, {{"If-None-Match", mine.header("etag")}});
            CHECK(same.status == 304);
            CHECK(same.body.empty());
            CHECK(same.header("etag") == mine.header("etag"));
        }
        for (const std::string path : {"/v1/products", "/v1/products/1", "/v1/products/2",
                                       "/v1/users/1/orders", "/v1/products/1/orders", "/livez",
                                       "/readyz", "/metrics", "/nowhere", "/v1/users/99"}) {
            INFO(path);
            const auto answer = client.get(path);
            CHECK(answer.header("cache-control") == "no-store");
            // A product's names its revision, for a change of it.
            CHECK(answer.header("etag") == (path == "/v1/products/1" ? R"("r1")" : ""));
        }
    }
    const flashsale_process shop(world, {{"FLASHSALE_HTTP__CATALOGUE_MAX_AGE_S", "3"}});
    auto client = shop.client();
    for (const std::string path : {"/v1/products", "/v1/products/1"}) {
        const auto shown = client.get(path);
        CHECK(shown.header("cache-control") == "public, max-age=3");
        CHECK(client.get(path, {{"If-None-Match", shown.header("etag")}}).status == 304);
    }
    const std::string before = client.get("/v1/products/1").header("etag");
    REQUIRE(outcome(place_order(client, 1, 1, 1)) == "201");
    CHECK(client.get("/v1/products/1", {{"If-None-Match", before}}).status == 200);
    CHECK(client.get("/v1/products/2").header("cache-control") == "no-store");
}

TEST_CASE("http: a request has a name, in its answer, its problem and the log") {
    const sandbox world(with_gate("memory"));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 1);
    const auto placed =
        client.post("/v1/orders", order_of(user, product), {{"X-Request-Id", "r-1"}});
    CHECK(placed.header("x-request-id") == "r-1");
    const auto refused =
        client.post("/v1/orders", order_of(user, product), {{"X-Request-Id", "r-2"}});
    CHECK(outcome(refused) == "400 out_of_stock");
    CHECK(refused.header("x-request-id") == "r-2");
    CHECK(refused.json().at("request_id").as_string() == "r-2");
    const auto made = client.post("/v1/orders", order_of(user, product));
    CHECK_FALSE(made.header("x-request-id").empty());
    CHECK(made.json().at("request_id").as_string() == made.header("x-request-id"));
    CHECK(client.get("/livez", {{"X-Request-Id", std::string(65, 'x')}}).header("x-request-id") !=
          std::string(65, 'x'));
    CHECK(raw(shop, "NONSENSE\r\n\r\n").json().at("request_id").as_string() !=
          made.header("x-request-id"));
}

TEST_CASE("http: what is wrong is shown in valid UTF-8, and no more than 64 bytes of it") {
    const sandbox world(with_gate("memory"));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto bad_byte = client.get("/v1/products?\xff=1");
    CHECK(outcome(bad_byte) == "400 bad_request");
    CHECK(bad_byte.json().at("field").as_string() == "\xef\xbf\xbd");
    CHECK(bad_byte.body.find('\xff') == std::string::npos);
    const std::string longest(1'000, 'y');
    for (const auto& answer :
         {client.get("/v1/products?" + longest + "=1"),
          client.post("/v1/orders",
                      "{\"" + longest + "\":1,\"user_id\":1,\"product_id\":1,\"quantity\":1}"),
          client.post("/v1/users", "{\"username\":\"u\",\"" + longest + "\":1}"),
          client.get("/" + longest), client.get("/v1/users/" + longest),
          client.post("/v1/orders", longest), client.get("/livez", {{"Idempotency-Key", longest}}),
          client.get("/readyz?verbose=" + longest)}) {
        INFO(answer.body);
        CHECK(answer.status >= 400);
        CHECK(answer.body.find(std::string(65, 'y')) == std::string::npos);
    }
}

TEST_CASE("http: a query parameter that nobody knows is refused on every route alike") {
    const sandbox world(with_gate("memory"));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    const auto order = place_order(client, user, product, 1).header("location");
    const auto check = [](const http_response& answer) {
        CHECK(outcome(answer) == "400 bad_request");
        CHECK(answer.json().at("field").as_string() == "page");
    };
    for (const std::string& path :
         {std::string("/v1/products"), std::string("/v1/products/1"), std::string("/v1/users/1"),
          std::string("/v1/users/1/orders"), order, std::string("/livez"), std::string("/readyz"),
          std::string("/metrics")}) {
        INFO(path);
        CHECK(client.get(path).status == 200);
        CHECK(client.get(path + "?").status == 200);
        check(client.get(path + "?page=2"));
    }
    check(client.post("/v1/orders?page=2", order_of(user, product)));
    check(client.post("/v1/users?page=2", R"({"username":"b"})"));
    check(client.post("/v1/products?page=2", R"({"name":"n","price":1,"stock":1})"));
    check(client.post("/v1/products/1/restock?page=2", R"({"quantity":1})"));
    check(client.post("/v1/products/1/reduce-stock?page=2", R"({"quantity":1})"));
    CHECK(available(client, product) == 9);
}

TEST_CASE("http: the absolute form, Host as it must be, and http.hosts") {
    const sandbox world(with_gate("memory"));
    {
        const flashsale_process shop(world);
        CHECK(raw(shop, get_text("http://shop.example/livez")).status == 200);
        CHECK(raw(shop, get_text("http://shop.example:1/readyz?verbose")).status == 200);
        CHECK(raw(shop, get_text("http://shop.example")).status == 404);
        CHECK(raw(shop, get_text("http://u@shop.example/livez")).status == 400);
        for (const std::string lines :
             {"", "Host: x\r\nHost: x\r\n", "Host: x/y\r\n", "Host: a b\r\n"}) {
            INFO(lines);
            CHECK(outcome(raw(shop, get_text("/livez", lines))) == "400 bad_request");
        }
    }
    const flashsale_process shop(world, {{"FLASHSALE_HTTP__HOSTS", "shop.example,127.0.0.1"}});
    CHECK(raw(shop, get_text("/livez", "Host: Shop.Example:8443\r\n")).status == 200);
    CHECK(raw(shop, get_text("/livez", "Host: 127.0.0.1:1\r\n")).status == 200);
    const auto rebound = raw(shop, get_text("/livez", "Host: evil.example\r\n"));
    CHECK(outcome(rebound) == "400 bad_request");
    CHECK(rebound.json().at("field").as_string() == "Host");
    CHECK(raw(shop, get_text("http://evil.example/livez", "Host: shop.example\r\n")).status == 400);
    CHECK(raw(shop, get_text("http://shop.example/livez", "Host: evil.example\r\n")).status == 200);
}

TEST_CASE("http: a key in quotes is the key inside") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    const auto first = place_order(client, user, product, 1, "\"8e03978e\"");
    CHECK(outcome(first) == "201");
    CHECK(first.header("idempotency-key") == "8e03978e");
    const auto again = place_order(client, user, product, 1, "8e03978e");
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(order_id(again) == order_id(first));
    CHECK(outcome(place_order(client, user, product, 1, "\"8e03978e")) == "400 bad_request");
    CHECK(available(client, product) == 9);
}

TEST_CASE("http: what a client may not use here is not counted as a failure of the server") {
    const sandbox world(with_gate("memory"));
    const flashsale_process shop(world);
    CHECK(raw(shop, "GET /livez HTTP/2.0\r\nHost: x\r\n\r\n").status == 505);
    CHECK(
        raw(shop, post_text("/v1/orders", json_type + "Transfer-Encoding: gzip\r\n", "")).status ==
        501);
    auto client = shop.client();
    const auto counted = [&](const std::string& name, int value) {
        const std::string line =
            "\nflashsale_http_answers_" + name + " " + std::to_string(value) + "\n";
        return client.get("/metrics").body.find(line) != std::string::npos;
    };
    CHECK(eventually(20s, [&] { return counted("unsupported_total", 2); }));
    CHECK(counted("5xx_total", 0));
}

TEST_CASE("http: SIGTERM: unready for so long, and serving, before nobody new is let in") {
    const sandbox world(with_gate("memory"));
    flashsale_process shop(world, {{"FLASHSALE_PROCESS__DRAIN_DELAY_MS", "60000"}});
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    shop.kill(SIGTERM);
    // New connections each time, as a balancer's.
    CHECK(eventually(20s, [&] { return shop.client().get("/readyz").status == 503; }));
    CHECK(shop.client().get("/livez").status == 200);
    CHECK(shop.client().get("/readyz?verbose").json().at("status").as_string() == "draining");
    auto newcomer = shop.client();
    CHECK(outcome(place_order(newcomer, user, product, 1)) == "201");
    CHECK(shop.running());
    // Who cannot wait says it twice.
    shop.kill(SIGTERM);
    CHECK(shop.wait(20s) == 128 + SIGTERM);

    flashsale_process other(world, {{"FLASHSALE_PROCESS__DRAIN_DELAY_MS", "300"}});
    const auto begun = std::chrono::steady_clock::now();
    CHECK(other.terminate() == 0);
    CHECK(std::chrono::steady_clock::now() - begun >= 300ms);
}

TEST_CASE("http: where it listens is a URL, and healthcheck takes it") {
    const std::string address = GENERATE("127.0.0.1", "::1");
    const std::string url = address == "::1" ? "http://[::1]:" : "http://127.0.0.1:";
    const environment variables{{"FLASHSALE_STOCK__GATE", "memory"},
                                {"FLASHSALE_HTTP__ADDRESS", address}};
    const auto check = [](const std::string& at) {
        return run({flashsale_binary(), "healthcheck", "--url", at}).exit_code;
    };
    {
        const sandbox world(variables);
        const flashsale_process shop(world);
        const std::string where = url + std::to_string(shop.port());
        CHECK(shop.log().find("listening on " + where + "\n") != std::string::npos);
        CHECK(check(where) == 0);
        CHECK(check(where + "/") == 0);
        CHECK(check("http://" + address + ":x") == 2);
        CHECK(check(url + "1") == 1);
    }
    // One that answers to another name only, and by its configuration it is known.
    const sandbox world(variables);
    environment named{{"FLASHSALE_HTTP__HOSTS", "shop.example,other.example"}};
    const flashsale_process shop(world, named);
    CHECK(check(url + std::to_string(shop.port())) == 1);
    named["FLASHSALE_HTTP__ADDRESS"] = address;
    named["FLASHSALE_HTTP__PORT"] = std::to_string(shop.port());
    const auto known =
        run({flashsale_binary(), "healthcheck", "--config", embedded_config()}, named);
    CHECK(known.exit_code == 0);
}
