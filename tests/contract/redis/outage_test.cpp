// The server stops, dies, or cuts the connection; each case ends with service restored.

#include <eventually.hpp>
#include <stack.hpp>

#include "connected.hpp"

using namespace flashsale;
using namespace flashsale::redis;
using flashsale::test::outage;
using flashsale::test::stack;
using redis::test::connected;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

bool restored(connected& c) {
    return c.run_until([&] { return c.client.ready(); }) && c.call({"PING"}).has_value();
}

}  // namespace

TEST_CASE("redis outage: a server that stops makes outcomes unknown in time, then comes back") {
    connected c(options{.url = redis::test::server_url(), .reply_timeout = 500ms});
    REQUIRE(c.run_until([&] { return c.client.ready(); }));
    const auto key = connected::fresh_key();
    std::optional<result> late;
    {
        outage stopped(stack::server::redis, outage::kind::stopped);
        const auto sent = clock_type::now();
        const std::string_view words[] = {"INCR", key};
        // By the loop's own clock: where the machine stood still, both are due, in their order.
        asio::steady_timer in_time(c.io, 900ms);
        std::optional<bool> was_in_time;
        in_time.async_wait([&](boost::system::error_code) {
            asio::post(c.io, [&] { was_in_time = late.has_value(); });
        });
        c.client.command(words, [&](result got) { late = std::move(got); });
        REQUIRE(c.run_until([&] { return late.has_value() && was_in_time.has_value(); }));
        CHECK(clock_type::now() - sent >= 500ms);
        CHECK(*was_in_time);
        REQUIRE_FALSE(*late);
        CHECK(late->error().what == error::kind::outcome_unknown);

        // Still silent: the connection is given up, and from then on nothing is even sent.
        REQUIRE(c.run_until([&] { return !c.client.ready(); }));
        CHECK(c.call({"PING"}).error().what == error::kind::unavailable);
    }
    REQUIRE(restored(c));
    // "or may yet": the command was in the server's socket.
    CHECK(c.call({"GET", key})->text == "1");
    c.call({"DEL", key});
}

TEST_CASE("redis outage: a short stop loses one answer and not the connection") {
    connected c(options{.url = redis::test::server_url(), .reply_timeout = 1s});
    REQUIRE(c.run_until([&] { return c.client.ready(); }));
    const auto id = c.call({"CLIENT", "ID"})->integer;
    const auto key = connected::fresh_key();
    int unknown = 0;
    {
        outage stopped(stack::server::redis, outage::kind::stopped);
        const std::string_view words[] = {"INCR", key};
        c.client.command(words, [&](result got) { unknown += !got; });
        REQUIRE(c.run_until([&] { return unknown == 1; }));
    }
    REQUIRE(c.run_until([&] { return c.client.ready(); }));
    // The swallowed reply is not taken for the answer to this.
    CHECK(c.call({"GET", key})->text == "1");
    CHECK(c.call({"CLIENT", "ID"})->integer == id);
    c.call({"DEL", key});
}

TEST_CASE(
    "redis outage: a server that is killed under load, each callback once, then reconnected") {
    connected c(options{.url = redis::test::server_url(), .reply_timeout = 1s});
    REQUIRE(c.run_until([&] { return c.client.ready(); }));
    int started = 0;
    int answered = 0;
    int unknown = 0;
    int unavailable = 0;
    const auto load = [&] {
        for (int i = 0; i < 20; ++i) {
            ++started;
            const std::string_view ping = "PING";
            c.client.command({&ping, 1}, [&](result got) {
                if (got)
                    ++answered;
                else
                    ++(got.error().what == error::kind::outcome_unknown ? unknown : unavailable);
            });
        }
        c.run_until([] { return false; }, 1ms);
    };
    for (int i = 0; i < 50; ++i)
        load();
    REQUIRE(c.run_until([&] { return answered == started; }));
    outage killed(stack::server::redis, outage::kind::killed);
    for (int i = 0; i < 50; ++i)
        load();
    REQUIRE(c.run_until([&] { return !c.client.ready(); }));
    load();
    killed.end();
    REQUIRE(restored(c));
    CHECK(answered >= 1'000);
    CHECK(unavailable > 0);
    CHECK(answered + unknown + unavailable == started);
}

TEST_CASE("redis outage: a connection cut by the server is replaced at once") {
    connected c;
    // An immediate reconnect is for connections that have lived a while.
    c.run_until([] { return false; }, 1'100ms);
    const auto id = c.call({"CLIENT", "ID"})->integer;
    std::optional<result> cut;
    const std::string number = std::to_string(id);
    const std::string_view words[] = {"CLIENT", "KILL", "ID", number, "SKIPME", "no"};
    c.client.command(words, [&](result got) { cut = std::move(got); });
    const auto started = clock_type::now();
    REQUIRE(c.run_until([&] { return cut && !c.client.ready(); }));
    REQUIRE(c.run_until([&] { return c.client.ready(); }));
    CHECK(c.call({"CLIENT", "ID"})->integer != id);
    CHECK(clock_type::now() - started < 20s);
}

TEST_CASE("redis outage: commands while it is away fail without waiting") {
    connected c(options{.url = redis::test::server_url(), .reply_timeout = 1h});
    REQUIRE(c.run_until([&] { return c.client.ready(); }));
    outage killed(stack::server::redis, outage::kind::killed);
    REQUIRE(c.run_until([&] { return !c.client.ready(); }));
    for (int i = 0; i < 100; ++i) {
        const auto answer = c.call({"PING"});
        REQUIRE_FALSE(answer);
        CHECK(answer.error().what == error::kind::unavailable);
        CHECK_FALSE(answer.error().message.empty());
    }
    killed.end();
    REQUIRE(restored(c));
}
