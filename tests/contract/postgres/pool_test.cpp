#include <boost/asio/co_spawn.hpp>
#include <map>

#include "pool_runner.hpp"

using namespace flashsale;
using namespace flashsale::postgres;
using namespace flashsale::postgres::test;
using namespace std::chrono_literals;

namespace {

constexpr statement echo{"echo", "SELECT $1::bigint"};
constexpr statement divide{"divide", "SELECT 100 / $1::bigint"};
constexpr statement nap{"nap", "SELECT pg_sleep($1::bigint / 1000.0)::text"};
constexpr statement syntax_error{"syntax_error", "SELEKT"};

/// Counts outcomes by kind; "ok" for results.
struct tally {
    std::map<std::string, int> seen;
    int total = 0;

    callback<result> counting() {
        return [this](result outcome) {
            ++total;
            ++seen[outcome ? "ok" : std::to_string(static_cast<int>(outcome.error().what))];
        };
    }
    int of(error::kind what) { return seen[std::to_string(static_cast<int>(what))]; }
};

}  // namespace

TEST_CASE("postgres pool: a thousand statements at once, each with its own answer") {
    scratch_database database;
    pool_runner runner(database.settings());
    std::vector<std::int64_t> answers(1'000, -1);
    int answered = 0;
    for (std::int64_t i = 0; i < 1'000; ++i) {
        runner.pool().execute(echo, parameters().integer(i), [&, i](result outcome) {
            answers[static_cast<std::size_t>(i)] = must(std::move(outcome)).integer(0, 0);
            ++answered;
        });
    }
    REQUIRE(runner.run_until([&] { return answered == 1'000; }));
    for (std::int64_t i = 0; i < 1'000; ++i)
        CHECK(answers[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("postgres pool: a statement is prepared once for a connection") {
    scratch_database database;
    pool_runner runner(database.settings(), {.connections = 1});
    for (std::int64_t i = 0; i < 5; ++i)
        must(runner.ask(echo, parameters().integer(i)));
    constexpr statement count{
        "count", "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'echo%'"};
    CHECK(must(runner.ask(count)).integer(0, 0) == 1);
}

TEST_CASE("postgres pool: awaited as a coroutine, its arguments may be temporaries") {
    scratch_database database;
    pool_runner runner(database.settings());
    std::optional<std::int64_t> sum;
    asio::co_spawn(
        runner.io(),
        [&]() -> awaitable<> {
            auto first =
                runner.pool().execute(statement{"echo", echo.sql}, parameters().integer(1));
            const auto one = co_await std::move(first);
            const auto two = co_await runner.pool().execute(echo, parameters().integer(2));
            if (one && two) sum = one->integer(0, 0) + two->integer(0, 0);
        },
        [](const std::exception_ptr& fault) { CHECK_FALSE(fault); });
    REQUIRE(runner.run_until([&] { return sum.has_value(); }));
    CHECK(*sum == 3);
}

TEST_CASE("postgres pool: an error in the middle leaves its neighbours alone") {
    scratch_database database;
    pool_runner runner(database.settings(), {.connections = 1});
    tally good;
    tally bad;
    tally broken;
    for (int i = 0; i < 20; ++i) {
        runner.pool().execute(divide, parameters().integer(1), good.counting());
        runner.pool().execute(divide, parameters().integer(0), bad.counting());
        runner.pool().execute(syntax_error, {}, broken.counting());
        runner.pool().execute(divide, parameters().integer(2), good.counting());
    }
    REQUIRE(runner.run_until([&] { return good.total + bad.total + broken.total == 80; }));
    CHECK(good.seen["ok"] == 40);
    CHECK(bad.of(error::kind::data) == 20);
    CHECK(broken.seen["ok"] == 0);
    CHECK(broken.of(error::kind::other) >= 1);
    CHECK(must(runner.ask(divide, parameters().integer(4))).integer(0, 0) == 25);
}

TEST_CASE("postgres pool: an error of the implicit commit replaces the rows before it") {
    scratch_database database;
    session s(database.settings());
    must(
        s.script("CREATE TABLE t (id bigint PRIMARY KEY);"
                 "CREATE TABLE later (id bigint REFERENCES t DEFERRABLE INITIALLY DEFERRED)"));
    pool_runner runner(database.settings(), {.connections = 1});
    runner.wait_until_ready();
    constexpr statement dangling{"dangling", "INSERT INTO later VALUES ($1) RETURNING id"};
    tally neighbours;
    tally failing;
    for (int i = 0; i < 3; ++i) {
        runner.pool().execute(echo, parameters().integer(1), neighbours.counting());
        runner.pool().execute(dangling, parameters().integer(9), failing.counting());
        runner.pool().execute(echo, parameters().integer(2), neighbours.counting());
    }
    REQUIRE(runner.run_until([&] { return neighbours.total + failing.total == 9; }));
    CHECK(neighbours.seen["ok"] == 6);
    CHECK(failing.of(error::kind::data) == 3);
}

TEST_CASE("postgres pool: a statement whose table changed is prepared again") {
    scratch_database database;
    session s(database.settings());
    must(s.execute("CREATE TABLE t (a bigint)"));
    pool_runner runner(database.settings(), {.connections = 1});
    constexpr statement all{"all", "SELECT * FROM t"};
    must(runner.ask(all));
    must(s.execute("ALTER TABLE t ADD b text"));
    const auto refused = runner.ask(all);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == error::kind::transient);
    must(runner.ask(all));
}

TEST_CASE("postgres pool: the server's own timeout is transient, and the connection stays") {
    scratch_database database;
    auto settings = database.settings();
    settings.statement_timeout = 2s;
    pool_runner runner(settings, {.connections = 1});
    constexpr statement pid{"pid", "SELECT pg_backend_pid()"};
    const auto before = must(runner.ask(pid)).integer(0, 0);
    const auto outcome = runner.ask(nap, parameters().integer(60'000));
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().what == error::kind::transient);
    CHECK(outcome.error().sqlstate == "57014");
    CHECK(must(runner.ask(pid)).integer(0, 0) == before);
}

TEST_CASE("postgres pool: beyond its limits it refuses at once") {
    scratch_database database;
    pool_runner runner(
        database.settings(),
        {.connections = 1, .pipelined_statements_max = 4, .waiting_statements_max = 6});
    runner.wait_until_ready();
    tally seen;
    for (int i = 0; i < 15; ++i)
        runner.pool().execute(nap, parameters().integer(50), seen.counting());
    CHECK(seen.total == 0);  // no caller is called back from inside execute()
    REQUIRE(runner.run_until([&] { return seen.total >= 5; }));
    CHECK(seen.of(error::kind::overloaded) == 5);
    REQUIRE(runner.run_until([&] { return seen.total == 15; }));
    CHECK(seen.seen["ok"] == 10);
}

TEST_CASE("postgres pool: the wait in the queue counts, and breaks no connection that works") {
    scratch_database database;
    auto settings = database.settings();
    // Each statement has 5 s from when it is asked for: three naps, and a part of the fourth.
    settings.statement_timeout = 4s;
    pool_runner runner(settings, {.connections = 1, .pipelined_statements_max = 2});
    constexpr statement pid{"pid", "SELECT pg_backend_pid()"};
    const auto before = must(runner.ask(pid)).integer(0, 0);
    tally seen;
    for (int i = 0; i < 7; ++i) {
        runner.pool().execute(nap, parameters().integer(1'500), seen.counting());
    }
    REQUIRE(runner.run_until([&] { return seen.total == 7; }));
    CHECK(seen.seen["ok"] >= 2);
    CHECK(seen.of(error::kind::outcome_unknown) == 2);
    CHECK(seen.of(error::kind::overloaded) >= 2);
    CHECK(must(runner.ask(pid)).integer(0, 0) == before);
}

TEST_CASE("postgres pool: stop ends what was sent as unknown and the rest as unavailable") {
    scratch_database database;
    pool_runner runner(database.settings(), {.connections = 1, .pipelined_statements_max = 3});
    runner.wait_until_ready();
    tally seen;
    for (int i = 0; i < 8; ++i) {
        runner.pool().execute(nap, parameters().integer(2'000), seen.counting());
    }
    runner.pool().stop();
    CHECK(seen.total == 0);
    runner.pool().execute(echo, parameters().integer(1), seen.counting());
    REQUIRE(runner.run_until([&] { return seen.total == 9; }));
    CHECK(seen.of(error::kind::outcome_unknown) == 3);
    CHECK(seen.of(error::kind::unavailable) == 6);
    CHECK_FALSE(runner.pool().ready());
}

TEST_CASE("postgres pool: a callback may send, stop, and destroy the pool") {
    scratch_database database;
    pool_runner runner(database.settings(), {.connections = 1});
    tally seen;
    bool destroyed = false;
    runner.pool().execute(echo, parameters().integer(1), [&](result) {
        runner.pool().execute(echo, parameters().integer(2), [&](result outcome) {
            CHECK(outcome);
            runner.pool().execute(nap, parameters().integer(2'000), seen.counting());
            runner.destroy_pool();
            destroyed = true;
        });
    });
    REQUIRE(runner.run_until([&] { return destroyed && seen.total == 1; }));
    CHECK(seen.of(error::kind::outcome_unknown) == 1);
}

TEST_CASE("postgres pool: a reply of many megabytes and a parameter as large") {
    scratch_database database;
    pool_runner runner(database.settings(), {.connections = 1});
    constexpr statement twice{"twice", "SELECT $1::text || $1::text"};
    const std::string large(8'000'000, 'x');
    tally neighbours;
    for (int i = 0; i < 3; ++i) {
        runner.pool().execute(echo, parameters().integer(1), neighbours.counting());
        CHECK(must(runner.ask(twice, parameters().text(large))).text(0, 0).size() == 16'000'000);
    }
    REQUIRE(runner.run_until([&] { return neighbours.seen["ok"] == 3; }));
}
