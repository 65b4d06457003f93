// What a pool says when the network or the server fails, and that it comes back.

#include "fault_proxy.hpp"
#include "pool_runner.hpp"

using namespace flashsale;
using namespace flashsale::postgres;
using namespace flashsale::postgres::test;
using namespace std::chrono_literals;

namespace {

constexpr statement echo{"echo", "SELECT $1::bigint"};
constexpr statement insert{"insert", "INSERT INTO t VALUES ($1)"};
constexpr statement count{"count", "SELECT count(*) FROM t"};

struct behind_a_gate {
    scratch_database database;
    flashsale::test::fault_proxy gate{server_host(), server_port()};
    session direct{database.settings()};
    pool_runner runner;

    explicit behind_a_gate(pool_limits bounds = {})
        : runner(database.settings_through(gate.port()), bounds) {
        must(direct.execute("CREATE TABLE t (id bigint)"));
        runner.wait_until_ready();
    }

    void check_restored() {
        runner.wait_until_ready();
        CHECK(must(runner.ask(echo, parameters().integer(5))).integer(0, 0) == 5);
    }
};

}  // namespace

TEST_CASE("postgres pool: the first attempt is waited for, later ones are not") {
    scratch_database database;
    flashsale::test::fault_proxy gate(server_host(), server_port());
    auto settings = database.settings_through(gate.port());
    settings.connect_timeout = settings.statement_timeout = 10min;
    pool_runner runner(settings);
    // Sent before there is a connection.
    CHECK(must(runner.ask(echo, parameters().integer(1))).integer(0, 0) == 1);

    gate.close();
    REQUIRE(runner.run_until([&] { return !runner.pool().ready(); }));
    const auto start = std::chrono::steady_clock::now();
    const auto refused = runner.ask(echo, parameters().integer(1));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == error::kind::unavailable);
    CHECK(std::chrono::steady_clock::now() - start < 30s);
    CHECK_FALSE(runner.pool().fault().empty());
}

TEST_CASE("postgres pool: no server at the start is unavailable, not a wait") {
    options settings;
    settings.url = "postgresql://nobody@127.0.0.1:1/none";
    pool_runner runner(settings);
    const auto refused = runner.ask(echo, parameters().integer(1));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == error::kind::unavailable);
    CHECK(runner.pool().fault().find("refused") != std::string::npos);
}

TEST_CASE("postgres pool: a server that accepts and says nothing is given up in time") {
    flashsale::test::fault_proxy gate(server_host(), server_port());
    gate.hold_requests(true);
    scratch_database database;
    auto settings = database.settings_through(gate.port());
    settings.connect_timeout = 1s;
    settings.statement_timeout = 10min;
    pool_runner runner(settings);
    const auto start = std::chrono::steady_clock::now();
    const auto refused = runner.ask(echo, parameters().integer(1));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == error::kind::unavailable);
    CHECK(std::chrono::steady_clock::now() - start < 30s);
}

TEST_CASE("postgres pool: a backend terminated while idle is replaced") {
    behind_a_gate setup({.connections = 1});
    constexpr statement pid{"pid", "SELECT pg_backend_pid()"};
    constexpr statement terminate{"terminate",
                                  "SELECT pg_terminate_backend($1::bigint::integer, 5000)"};
    const auto first = must(setup.runner.ask(pid)).integer(0, 0);
    must(setup.direct.execute(terminate, parameters().integer(first)));
    REQUIRE(setup.runner.run_until([&] { return !setup.runner.pool().ready(); }));
    setup.check_restored();
    CHECK(must(setup.runner.ask(pid)).integer(0, 0) != first);
}

TEST_CASE("postgres pool: a backend terminated under statements ends each of them") {
    behind_a_gate setup({.connections = 1});
    constexpr statement suicide{"suicide", "SELECT pg_terminate_backend(pg_backend_pid())"};
    must(setup.runner.ask(echo, parameters().integer(1)));
    // Alone: its FATAL comes before CommandComplete.
    const auto alone = setup.runner.ask(suicide, {});
    REQUIRE_FALSE(alone);
    CHECK(alone.error().what == error::kind::transient);
    REQUIRE(setup.runner.run_until(
        [&] { return setup.runner.ask(echo, parameters().integer(1)).has_value(); }));

    // With others behind it: what the server has not read when it closes makes the kernel reset the
    // connection, and a reset may overtake what was said before.
    std::vector<error::kind> seen;
    std::size_t good = 0;
    const auto note = [&](result outcome) {
        if (outcome) {
            ++good;
        } else {
            seen.push_back(outcome.error().what);
        }
    };
    setup.runner.pool().execute(suicide, {}, note);
    for (int i = 0; i < 10; ++i)
        setup.runner.pool().execute(echo, parameters().integer(1), note);
    REQUIRE(setup.runner.run_until([&] { return good + seen.size() == 11; }));
    CHECK(good == 0);
    REQUIRE(seen.size() == 11);
    CHECK((seen[0] == error::kind::transient || seen[0] == error::kind::outcome_unknown));
    CHECK(seen[1] == error::kind::outcome_unknown);
    setup.check_restored();
}

TEST_CASE("postgres pool: a black hole ends as outcome_unknown within the deadline") {
    behind_a_gate setup({.connections = 1});
    must(setup.runner.ask(echo, parameters().integer(1)));
    setup.gate.hold_requests(true);
    setup.gate.hold_replies(true);
    const auto start = std::chrono::steady_clock::now();
    const auto outcome = setup.runner.ask(insert, parameters().integer(1));
    const auto taken = std::chrono::steady_clock::now() - start;
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().what == error::kind::outcome_unknown);
    // The statement's 2 s, and one more.
    CHECK(taken >= 2'900ms);
    CHECK(taken < 15s);
    setup.gate.cut();
    setup.gate.hold_requests(false);
    setup.gate.hold_replies(false);
    setup.check_restored();
}

TEST_CASE("postgres pool: a statement done whose reply is lost is outcome_unknown") {
    behind_a_gate setup({.connections = 1});
    setup.gate.hold_replies(true);
    const auto outcome = setup.runner.ask(insert, parameters().integer(1));
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().what == error::kind::outcome_unknown);
    CHECK(must(setup.direct.execute(count)).integer(0, 0) == 1);
}

TEST_CASE("postgres pool: it comes back when the server does, and again") {
    behind_a_gate setup;
    for (int round = 0; round < 3; ++round) {
        int pending = 0;
        for (int i = 0; i < 50; ++i) {
            ++pending;
            setup.runner.pool().execute(echo, parameters().integer(1), [&](result) { --pending; });
        }
        setup.gate.close();
        REQUIRE(
            setup.runner.run_until([&] { return pending == 0 && !setup.runner.pool().ready(); }));
        (void)setup.runner.run_until([] { return false; }, 300ms);
        setup.gate.open();
        const auto start = std::chrono::steady_clock::now();
        setup.check_restored();
        CHECK(std::chrono::steady_clock::now() - start < 30s);
    }
}
