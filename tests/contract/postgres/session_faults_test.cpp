// What a session says when the network fails, by a gate between it and the server.

#include <catch2/catch.hpp>

#include "eventually.hpp"
#include "fault_proxy.hpp"
#include "scratch_database.hpp"

using namespace flashsale;
using namespace flashsale::postgres;
using namespace flashsale::postgres::test;
using namespace std::chrono_literals;

namespace {

struct behind_a_gate {
    scratch_database database;
    flashsale::test::fault_proxy gate{server_host(), server_port()};
    session direct{database.settings()};
    session s{database.settings_through(gate.port())};

    behind_a_gate() { must(s.execute("CREATE TABLE t (id bigint)")); }

    std::int64_t count() { return must(direct.execute("SELECT count(*) FROM t")).integer(0, 0); }
};

std::chrono::milliseconds measure(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 start);
}

std::expected<void, error> insert(session& into) {
    must(into.execute("INSERT INTO t VALUES (1)"));
    return {};
}

}  // namespace

TEST_CASE("postgres session: a black hole ends as outcome_unknown within the deadline") {
    behind_a_gate setup;
    setup.gate.hold_requests(true);
    setup.gate.hold_replies(true);
    const auto taken = measure([&] {
        const auto outcome = setup.s.execute("INSERT INTO t VALUES (1)");
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().what == error::kind::outcome_unknown);
    });
    // The statement's 2 s, and one more.
    CHECK(taken >= 2'900ms);
    CHECK(taken < 15s);

    // The next one needs a connection first, and has sent nothing.
    const auto connecting = measure([&] {
        const auto outcome = setup.s.execute("INSERT INTO t VALUES (2)");
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().what == error::kind::unavailable);
    });
    CHECK(connecting < 30s);

    setup.gate.cut();
    setup.gate.hold_requests(false);
    setup.gate.hold_replies(false);
    must(setup.s.execute("INSERT INTO t VALUES (3)"));
    CHECK(setup.count() == 1);
}

TEST_CASE("postgres session: a statement done whose reply is lost is outcome_unknown") {
    behind_a_gate setup;
    setup.gate.hold_replies(true);
    const auto outcome = setup.s.execute("INSERT INTO t VALUES (1)");
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().what == error::kind::outcome_unknown);
    CHECK(setup.count() == 1);
}

TEST_CASE("postgres session: a COMMIT done whose reply is lost is outcome_unknown") {
    behind_a_gate setup;
    const auto outcome = setup.s.transaction([&](session& inside) -> std::expected<void, error> {
        must(insert(inside));
        setup.gate.hold_replies(true);
        return {};
    });
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().what == error::kind::outcome_unknown);
    CHECK(setup.count() == 1);
    setup.gate.cut();
    setup.gate.hold_replies(false);
    must(setup.s.transaction(insert));
    CHECK(setup.count() == 2);
}

TEST_CASE("postgres session: a COMMIT that is slower than the deadline is outcome_unknown") {
    behind_a_gate setup;
    // It takes until the lock is free.
    must(setup.s.script(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS"
        " 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION slow()"));
    session holder(setup.database.settings());
    must(holder.execute("SELECT pg_advisory_lock(1)"));
    const auto outcome = setup.s.transaction(insert);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().what == error::kind::outcome_unknown);
    // It was still under way, and gets done.
    CHECK(setup.count() == 0);
    must(holder.execute("SELECT pg_advisory_unlock(1)"));
    CHECK(flashsale::test::eventually(60s, [&] { return setup.count() == 1; }));
}

TEST_CASE("postgres session: a loss before COMMIT was sent is unavailable, and nothing happened") {
    behind_a_gate setup;
    const auto outcome = setup.s.transaction([&](session& inside) -> std::expected<void, error> {
        must(insert(inside));
        setup.gate.hold_replies(true);
        const auto lost = inside.execute("INSERT INTO t VALUES (2)");
        REQUIRE_FALSE(lost);
        CHECK(lost.error().what == error::kind::unavailable);
        return std::unexpected(lost.error());
    });
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().what == error::kind::unavailable);
    CHECK(setup.count() == 0);
}

TEST_CASE("postgres session: it comes back when the server does") {
    behind_a_gate setup;
    setup.gate.close();
    CHECK(setup.s.execute("SELECT 1").error().what == error::kind::unavailable);
    CHECK(setup.s.transaction(insert).error().what == error::kind::unavailable);
    setup.gate.open();
    must(setup.s.transaction(insert));
    CHECK(setup.count() == 1);
}
