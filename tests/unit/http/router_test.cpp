#include <catch2/catch.hpp>
#include <stdexcept>

#include "session.hpp"

using namespace flashsale;
using namespace flashsale::http;

namespace {

class notebook final : public session {
public:
    void answer(std::uint64_t slot, response&& value) override {
        answers.emplace_back(slot, std::move(value));
    }
    std::string request_name(std::uint64_t slot) const override { return std::to_string(slot); }
    std::vector<std::pair<std::uint64_t, response>> answers;
};

struct fixture {
    std::shared_ptr<notebook> client = std::make_shared<notebook>();
    router routes;

    response ask(method verb, std::string_view path, std::string_view query = {}) {
        request incoming{.verb = verb, .path = path, .query = query};
        const std::size_t before = client->answers.size();
        routes.dispatch(incoming, exchange(client, before));
        REQUIRE(client->answers.size() == before + 1);
        CHECK(client->answers.back().first == before);
        return client->answers.back().second;
    }

    void add(method verb, std::string_view pattern, std::vector<std::string_view> query = {}) {
        routes.add({.verb = verb,
                    .pattern = pattern,
                    .who_may = callers::anybody(),
                    .handle =
                        [pattern](const request& incoming, exchange reply) {
                            reply.answer({.status = 200,
                                          .body = std::string(pattern) + "=" +
                                                  std::string(incoming.parameter)});
                        },
                    .query = std::move(query)});
    }
    void get(std::string_view pattern, handler handle) {
        routes.add({.verb = method::get,
                    .pattern = pattern,
                    .who_may = callers::anybody(),
                    .handle = std::move(handle)});
    }
};

}  // namespace

TEST_CASE("a path finds its handler") {
    fixture f;
    f.add(method::get, "/livez");
    f.add(method::post, "/v1/orders");
    f.add(method::get, "/v1/orders/{id}");
    f.add(method::get, "/v1/users/{id}/orders");
    f.add(method::post, "/v1/products/{id}/restock");

    CHECK(f.ask(method::get, "/livez").body == "/livez=");
    CHECK(f.ask(method::post, "/v1/orders").body == "/v1/orders=");
    CHECK(f.ask(method::get, "/v1/orders/7-a").body == "/v1/orders/{id}=7-a");
    CHECK(f.ask(method::get, "/v1/users/7/orders").body == "/v1/users/{id}/orders=7");
    CHECK(f.ask(method::post, "/v1/products/8/restock").body == "/v1/products/{id}/restock=8");
}

TEST_CASE("any other path answers 404") {
    fixture f;
    f.add(method::get, "/livez");
    f.add(method::get, "/v1/orders/{id}");
    f.add(method::get, "/v1/users/{id}/orders");
    const auto path = GENERATE("/", "", "/livez/", "/LIVEZ", "//livez", "/livez#a", "/liv%65z",
                               "http://a/livez", "*", "/v1/orders/", "/v1/orders/1/2",
                               "/v1/orders/%31", "/v1/orders/a b", "/v1/users//orders",
                               "/v1/users/orders", "/v1/users/1/2/orders", "/v1/orders/\xc3\xa4");
    INFO(path);
    CHECK(f.ask(method::get, path).status == 404);
    CHECK(f.ask(method::post, path).status == 404);
    CHECK(f.ask(method::other, path).status == 404);
}

TEST_CASE("another method on a known path answers 405 and names those allowed") {
    fixture f;
    f.add(method::get, "/a");
    f.add(method::post, "/b/{id}");
    f.add(method::get, "/c");
    f.add(method::post, "/c");
    CHECK(f.ask(method::post, "/a").status == 405);
    CHECK(f.ask(method::post, "/a").allow == "GET, HEAD, OPTIONS");
    CHECK(f.ask(method::get, "/b/1").allow == "POST, OPTIONS");
    CHECK(f.ask(method::other, "/c").status == 405);
    CHECK(f.ask(method::other, "/c").allow == "GET, HEAD, POST, OPTIONS");
}

TEST_CASE("every method finds its own route of one path") {
    fixture f;
    for (const auto verb : {method::get, method::post, method::patch, method::erase}) {
        f.routes.add({.verb = verb,
                      .pattern = "/a/{id}",
                      .who_may = callers::anybody(),
                      .handle = [](const request& incoming, exchange reply) {
                          reply.answer(
                              {.status = 200, .body = std::string(name_of(incoming.verb))});
                      }});
    }
    CHECK(f.ask(method::get, "/a/1").body == "GET");
    CHECK(f.ask(method::post, "/a/1").body == "POST");
    CHECK(f.ask(method::patch, "/a/1").body == "PATCH");
    CHECK(f.ask(method::erase, "/a/1").body == "DELETE");
    CHECK(f.ask(method::options, "/a/1").status == 204);
    CHECK(f.ask(method::options, "/a/1").allow == "GET, HEAD, POST, PATCH, DELETE, OPTIONS");
    CHECK(f.ask(method::other, "/a/1").status == 405);
}

// A route that does not say for whom it is does not compile.
static_assert(!std::is_default_constructible_v<callers>);

TEST_CASE("what a route was declared as can be read, in the order of looking") {
    fixture f;
    f.add(method::get, "/a/{id}", {"limit"});
    f.routes.add({.verb = method::post,
                  .pattern = "/b",
                  .who_may = callers::anybody(),
                  .handle = [](const request&, exchange) {},
                  .limits = {.body_bytes_max = 3}});
    const auto all = f.routes.all();
    REQUIRE(all.size() == 2);
    CHECK(all[0]->verb == method::get);
    CHECK(all[0]->pattern == "/a/{id}");
    CHECK(all[0]->who_may.name() == "anybody");
    CHECK(all[0]->query == std::vector<std::string_view>{"limit"});
    CHECK(all[1]->limits.body_bytes_max == 3);
}

TEST_CASE("a route may take less of a body than the server") {
    fixture f;
    f.routes.add({.verb = method::post,
                  .pattern = "/b",
                  .who_may = callers::anybody(),
                  .handle = [](const request&, exchange reply) { reply.answer({.status = 200}); },
                  .limits = {.body_bytes_max = 3}});
    const auto post = [&](std::string_view body) {
        request incoming{.verb = method::post, .path = "/b", .body = body};
        f.routes.dispatch(incoming, exchange(f.client, 0));
        return f.client->answers.back().second.status;
    };
    CHECK(post("123") == 200);
    CHECK(post("1234") == 413);
}

TEST_CASE("a route that offers several media types is told which one to answer with") {
    fixture f;
    f.routes.add({.verb = method::get,
                  .pattern = "/both",
                  .who_may = callers::anybody(),
                  .handle =
                      [](const request& incoming, exchange reply) {
                          reply.answer({.status = 200, .body = std::string(incoming.media_type)});
                      },
                  .offers = {"application/json", "text/csv"}});
    const auto get = [&](std::string_view accept) {
        request incoming{.verb = method::get, .path = "/both"};
        if (!accept.empty()) incoming.headers.set(header::accept, accept);
        f.routes.dispatch(incoming, exchange(f.client, 0));
        return f.client->answers.back().second.body;
    };
    CHECK(get("") == "application/json");
    CHECK(get("text/csv") == "text/csv");
    CHECK(get("image/png") == "application/json");
}

TEST_CASE("a query parameter that the route does not know is refused, on every route alike") {
    fixture f;
    f.add(method::get, "/plain");
    f.add(method::post, "/plain");
    f.add(method::get, "/paged/{id}", {"limit", "cursor"});
    const auto refused = [&](method verb, std::string_view path, std::string_view query) {
        const response answer = f.ask(verb, path, query);
        CHECK(answer.status == 400);
        return std::string(boost::json::parse(answer.body + "}").at("detail").as_string());
    };
    for (const auto verb : {method::get, method::post}) {
        CHECK(f.ask(verb, "/plain").status == 200);
        CHECK(refused(verb, "/plain", "x=1") == "x: no such parameter; there are none here");
        CHECK(refused(verb, "/plain", "x") == "x: no such parameter; there are none here");
        CHECK(refused(verb, "/plain", "&") == ": no such parameter; there are none here");
    }
    for (const auto* query : {"limit=1", "cursor=", "limit=1&cursor=2", "cursor&limit", "limit=1&"})
        CHECK(f.ask(method::get, "/paged/1", query).status == 200);
    CHECK(refused(method::get, "/paged/1", "page=2") ==
          "page: no such parameter; known are limit, cursor");
    CHECK(refused(method::get, "/paged/1", "limit=1&\xff=1") ==
          "\xef\xbf\xbd: no such parameter; known are limit, cursor");
    CHECK(refused(method::get, "/paged/1", "limit=1&limit=1") == "limit: at most once");
    CHECK(f.ask(method::get, "/nowhere", "x=1").status == 404);
}

TEST_CASE("a handler that throws answers 500") {
    fixture f;
    f.get("/throws", [](const request&, exchange) { throw std::runtime_error("on purpose"); });
    f.get("/throws-int", [](const request&, exchange) { throw 1; });
    f.get("/late", [](const request&, exchange reply) {
        reply.answer({.status = 200});
        throw std::runtime_error("on purpose");
    });
    f.get("/forgets", [](const request&, exchange) {});
    CHECK(f.ask(method::get, "/throws").status == 500);
    CHECK(f.ask(method::get, "/throws-int").status == 500);
    CHECK(f.ask(method::get, "/late").status == 200);
    CHECK(f.ask(method::get, "/forgets").status == 500);
}

TEST_CASE("an exchange answers once, and 500 if it is overwritten") {
    auto client = std::make_shared<notebook>();
    {
        exchange first(client, 1);
        exchange second(client, 2);
        first = std::move(second);
        REQUIRE(client->answers.size() == 1);
        CHECK(client->answers[0].first == 1);
        CHECK(client->answers[0].second.status == 500);
        first.answer({.status = 200});
        first.answer({.status = 201});
        exchange third = std::move(first);
    }
    REQUIRE(client->answers.size() == 2);
    CHECK(client->answers[1].first == 2);
    CHECK(client->answers[1].second.status == 200);
}
