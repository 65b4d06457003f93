#include "connected.hpp"

using namespace flashsale;
using namespace flashsale::redis;
using test::connected;
using namespace std::chrono_literals;

TEST_CASE("redis client: commands and the kinds of their replies") {
    connected c;
    const auto key = connected::fresh_key();
    CHECK(c.call({"SET", key, "v"})->text == "OK");
    CHECK(c.call({"GET", key})->text == "v");
    CHECK(c.call({"GET", key + "none"})->kind == value::type::nil);
    CHECK(c.call({"STRLEN", key})->integer == 1);
    const auto many = c.call({"MGET", key, key + "none", key});
    REQUIRE(many);
    REQUIRE(many->elements.size() == 3);
    CHECK(many->elements[2].text == "v");
    const auto wrong = c.call({"INCR", key});
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().what == error::kind::refused);
    CHECK(wrong.error().message == "ERR value is not an integer or out of range");
    c.call({"DEL", key});
}

TEST_CASE("redis client: arguments and replies are bytes") {
    connected c;
    const auto key = connected::fresh_key();
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes += static_cast<char>(i);
    bytes += "\r\n$3\r\nabc\r\n";
    REQUIRE(c.call({"SET", key, bytes}));
    CHECK(c.call({"GET", key})->text == bytes);

    const std::string large(8 * 1024 * 1024, 'x');
    REQUIRE(c.call({"SET", key, large}));
    CHECK(c.call({"GET", key})->text == large);
    c.call({"DEL", key});
}

TEST_CASE("redis client: 10,000 commands at once, answered in order") {
    connected c(options{.url = test::server_url(), .pending_commands_max = 10'000});
    REQUIRE(c.run_until([&] { return c.client.ready(); }));
    const auto key = connected::fresh_key();
    std::vector<std::int64_t> answers;
    for (int i = 0; i < 10'000; ++i) {
        const std::string_view words[] = {"INCR", key};
        c.client.command(words, [&](result got) { answers.push_back(got ? got->integer : -1); });
    }
    REQUIRE(c.run_until([&] { return answers.size() == 10'000; }));
    for (int i = 0; i < 10'000; ++i) {
        if (answers[static_cast<std::size_t>(i)] != i + 1) FAIL("out of order at " << i);
    }
    c.call({"DEL", key});
}

TEST_CASE("redis client: more unanswered commands than the limit are turned away at once") {
    connected c(options{.url = test::server_url(), .pending_commands_max = 10});
    REQUIRE(c.run_until([&] { return c.client.ready(); }));
    int answered = 0;
    int overloaded = 0;
    const std::string_view ping = "PING";
    for (int i = 0; i < 25; ++i) {
        c.client.command({&ping, 1}, [&](result got) {
            ++(got ? answered : overloaded);
            if (!got) CHECK(got.error().what == error::kind::overloaded);
        });
    }
    REQUIRE(c.run_until([&] { return answered + overloaded == 25; }));
    CHECK(answered == 10);
    CHECK(overloaded == 15);
}

TEST_CASE("redis client: a script the server has forgotten is sent again in full") {
    connected c;
    const script add("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    const auto key = connected::fresh_key();
    REQUIRE(c.call({"SCRIPT", "FLUSH", "SYNC"}));
    CHECK(c.evaluate(add, {key}, {"5"})->integer == 5);
    CHECK(c.evaluate(add, {key}, {"5"})->integer == 10);
    REQUIRE(c.call({"SCRIPT", "FLUSH", "SYNC"}));

    // Many in flight, all of them unknown to the server: each is executed once.
    std::size_t done = 0;
    for (int i = 0; i < 100; ++i) {
        const std::string_view name = key;
        const std::string_view one = "1";
        c.client.evaluate(add, {&name, 1}, {&one, 1}, [&](result got) { done += got.has_value(); });
    }
    REQUIRE(c.run_until([&] { return done == 100; }));
    CHECK(c.call({"GET", key})->text == "110");
    c.call({"DEL", key});
}

TEST_CASE("redis client: arrays of many and of nested elements") {
    connected c;
    const script numbers(
        "local out = {} for i = 1, tonumber(ARGV[1]) do out[i] = {i, tostring(i)} end return out");
    const auto answer = c.evaluate(numbers, {}, {"100000"});
    REQUIRE(answer);
    REQUIRE(answer->elements.size() == 100'000);
    CHECK(answer->elements[99'999].elements[0].integer == 100'000);
    CHECK(answer->elements[99'999].elements[1].text == "100000");
}

TEST_CASE("redis client: an error element of a script's array is a string there") {
    connected c;
    const script mixed("return {1, redis.error_reply('SOLD out'), 'x'}");
    const auto answer = c.evaluate(mixed, {}, {});
    REQUIRE(answer);
    REQUIRE(answer->elements.size() == 3);
    CHECK(answer->elements[1].kind == value::type::string);
    CHECK(answer->elements[1].text == "SOLD out");
    CHECK(answer->elements[2].text == "x");
}

TEST_CASE("redis client: a callback may send the next command, and may stop the client") {
    connected c;
    bool stopped = false;
    const std::string_view ping = "PING";
    c.client.command({&ping, 1}, [&](result) {
        c.client.command({&ping, 1}, [&](result got) {
            CHECK(got);
            c.client.stop();
            stopped = true;
        });
    });
    REQUIRE(c.run_until([&] { return stopped; }));
    CHECK_FALSE(c.client.ready());
    CHECK(c.call({"PING"}).error().what == error::kind::unavailable);
}

TEST_CASE("redis client: stop answers what is pending before it returns") {
    connected c;
    std::vector<error::kind> outcomes;
    const auto note = [&](result got) {
        outcomes.push_back(got ? error::kind::refused : got.error().what);
    };
    const std::string_view words[] = {"BLPOP", "test:never", "0"};
    c.client.command(words, note);
    c.run_until([] { return false; }, 50ms);
    c.client.command(words, note);  // not written yet
    c.client.stop();
    CHECK(outcomes == std::vector{error::kind::outcome_unknown, error::kind::unavailable});
    c.io.run_for(50ms);
    CHECK(outcomes.size() == 2);
}

TEST_CASE("redis client: the loop may end first") {
    std::optional<asio::io_context> io(std::in_place);
    auto c = std::make_unique<client>(*io, options{.url = test::server_url()});
    c->start();
    io->run_for(100ms);
    CHECK(c->ready());
    c.reset();
    io.reset();
}
