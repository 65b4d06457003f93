#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <limits>

#include "scratch_database.hpp"

using namespace flashsale;
using namespace flashsale::postgres;
using namespace flashsale::postgres::test;
using namespace std::chrono_literals;

namespace {

constexpr statement backend_pid{"backend_pid", "SELECT pg_backend_pid()"};
constexpr statement terminate{"terminate",
                              "SELECT pg_terminate_backend($1::bigint::integer, 5000)"};

void kill_backend_of(session& victim, const options& settings) {
    const auto pid = must(victim.execute(backend_pid)).integer(0, 0);
    session killer(settings);
    CHECK(must(killer.execute(terminate, parameters().integer(pid))).boolean(0, 0));
}

}  // namespace

TEST_CASE("postgres session: every type goes there and back") {
    scratch_database database;
    session s(database.settings());
    const auto id = uuid_generator().make();
    const auto now = wall_clock_now();
    constexpr statement echo{
        "echo",
        "SELECT $1::bigint, $2::bigint, $3::text, $4::text, $5::uuid, $6::timestamptz,"
        " $7::timestamptz, $8::boolean, $9::boolean, 7::smallint, -8::integer, 'v'::varchar,"
        " 'n'::name"};
    const auto found = must(s.execute(echo, parameters()
                                                .integer(std::numeric_limits<std::int64_t>::min())
                                                .integer(std::optional<std::int64_t>())
                                                .text("gr\u00fc\u00df \U0001F600")
                                                .text(std::optional<std::string>())
                                                .uuid(id)
                                                .time(now)
                                                .time(std::optional<timestamp>())
                                                .boolean(true)
                                                .boolean(false)));
    REQUIRE(found.size() == 1);
    CHECK(found.integer(0, 0) == std::numeric_limits<std::int64_t>::min());
    CHECK(found.optional_integer(0, 1) == std::nullopt);
    CHECK(found.text(0, 2) == "gr\u00fc\u00df \U0001F600");
    CHECK(found.is_null(0, 3));
    CHECK(found.uuid(0, 4) == id);
    CHECK(found.time(0, 5) == now);
    CHECK(found.optional_time(0, 6) == std::nullopt);
    CHECK(found.boolean(0, 7));
    CHECK_FALSE(found.boolean(0, 8));
    CHECK(found.integer(0, 9) == 7);
    CHECK(found.integer(0, 10) == -8);
    CHECK(found.text(0, 11) == "v");
    CHECK(found.text(0, 12) == "n");
}

TEST_CASE("postgres session: arrays of every type go there and back") {
    scratch_database database;
    session s(database.settings());
    uuid_generator make;
    const std::vector<std::int64_t> integers{1, -2, std::numeric_limits<std::int64_t>::max()};
    const std::vector<std::string> texts{"", "a,b", "{\"}"};
    const std::vector<std::string_view> views{"x", "y", "z"};
    const std::vector<flashsale::uuid> uuids{make.make(), make.make(), make.make()};
    const std::vector<timestamp> times{wall_clock_now(), timestamp(0us), timestamp(1us)};
    constexpr statement echo{"echo_arrays",
                             "SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[],"
                             " $4::uuid[], $5::timestamptz[])"};
    const auto with =
        parameters().integers(integers).texts(texts).texts(views).uuids(uuids).times(times);
    const auto found = must(s.execute(echo, with));
    REQUIRE(found.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(found.integer(i, 0) == integers[i]);
        CHECK(found.text(i, 1) == texts[i]);
        CHECK(found.text(i, 2) == views[i]);
        CHECK(found.uuid(i, 3) == uuids[i]);
        CHECK(found.time(i, 4) == times[i]);
    }
    const auto none = parameters()
                          .integers({})
                          .texts(std::span<const std::string>())
                          .texts(std::span<const std::string_view>())
                          .uuids({})
                          .times({});
    CHECK(must(s.execute(echo, none)).empty());
}

TEST_CASE("postgres session: the server has our timeouts, our name and UTC") {
    scratch_database database;
    auto settings = database.settings();
    settings.statement_timeout = 3'000ms;
    settings.application_name = "contract test";
    session s(settings);
    const auto found = must(
        s.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),"
                  " current_setting('idle_in_transaction_session_timeout'),"
                  " current_setting('application_name'), current_setting('TimeZone'),"
                  " current_setting('client_encoding')"));
    CHECK(found.text(0, 0) == "3s");
    CHECK(found.text(0, 1) == "2s");
    CHECK(found.text(0, 2) == "13s");
    CHECK(found.text(0, 3) == "contract test");
    CHECK(found.text(0, 4) == "UTC");
    CHECK(found.text(0, 5) == "UTF8");
}

TEST_CASE("postgres session: reading a column as another type ends the process") {
    scratch_database database;
    session s(database.settings());
    const auto found = must(s.execute("SELECT 1::bigint, 'text'::text, NULL::bigint"));
    const std::vector<std::function<void()>> bugs{
        [&] { (void)found.text(0, 0); }, [&] { (void)found.integer(0, 1); },
        [&] { (void)found.integer(0, 2); }, [&] { (void)found.integer(1, 0); },
        [&] { (void)found.integer(0, 3); }};
    for (const auto& bug : bugs) {
        const auto child = ::fork();
        if (child == 0) {
            std::signal(SIGABRT, SIG_DFL);
            ::close(STDERR_FILENO);
            bug();
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status));
        CHECK(WTERMSIG(status) == SIGABRT);
    }
}

TEST_CASE("postgres session: affected rows are counted") {
    scratch_database database;
    session s(database.settings());
    must(s.script("CREATE TABLE t (id bigint); INSERT INTO t SELECT generate_series(1, 5)"));
    CHECK(must(s.execute("UPDATE t SET id = id + 10 WHERE id > 2")).affected() == 3);
    CHECK(must(s.execute("DELETE FROM t WHERE false")).affected() == 0);
}

TEST_CASE("postgres session: a statement is prepared once for a connection") {
    scratch_database database;
    session s(database.settings());
    constexpr statement one{"one", "SELECT $1::bigint"};
    for (std::int64_t i = 0; i < 3; ++i) {
        CHECK(must(s.execute(one, parameters().integer(i))).integer(0, 0) == i);
    }
    CHECK(must(s.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'one%'"))
              .integer(0, 0) == 1);
}

TEST_CASE("postgres session: a statement whose table changed is prepared again") {
    scratch_database database;
    session s(database.settings());
    must(s.execute("CREATE TABLE t (a bigint)"));
    constexpr statement all{"all", "SELECT * FROM t"};
    must(s.execute(all));
    must(s.execute("ALTER TABLE t ADD b text"));
    const auto refused = s.execute(all);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == error::kind::transient);
    must(s.execute(all));
}

TEST_CASE("postgres session: errors say what to do") {
    scratch_database database;
    auto settings = database.settings();
    settings.statement_timeout = 3s;
    settings.lock_timeout = 1s;
    session s(settings);
    must(s.script(
        "CREATE TABLE t (id bigint PRIMARY KEY, n bigint CONSTRAINT n_positive CHECK (n > 0),"
        " name text CONSTRAINT t_name_unique UNIQUE);"
        "INSERT INTO t VALUES (1, 1, 'a')"));

    SECTION("unique violation, with the constraint's name") {
        const auto outcome = s.execute("INSERT INTO t VALUES (2, 1, 'a')");
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().what == error::kind::unique_violation);
        CHECK(outcome.error().constraint == "t_name_unique");
        CHECK(outcome.error().sqlstate == "23505");
    }
    SECTION("check violation") {
        const auto outcome = s.execute("INSERT INTO t VALUES (2, 0, 'b')");
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().what == error::kind::data);
        CHECK(outcome.error().constraint == "n_positive");
    }
    SECTION("a byte sequence that is not UTF-8") {
        const auto outcome = s.execute({"bad_text", "SELECT $1::text"}, parameters().text("\xff"));
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().what == error::kind::data);
    }
    SECTION("syntax error, prepared or not") {
        CHECK(s.execute("SELEKT").error().what == error::kind::other);
        CHECK(s.execute(statement{"bad", "SELEKT"}).error().what == error::kind::other);
        CHECK(s.execute(statement{"bad", "SELEKT"}).error().what == error::kind::other);
    }
    SECTION("statement timeout") {
        const auto outcome = s.execute("SELECT pg_sleep(60)");
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().what == error::kind::transient);
        CHECK(outcome.error().sqlstate == "57014");
    }
    SECTION("lock timeout") {
        session other(settings);
        must(other.transaction([&](session& inside) -> std::expected<void, error> {
            must(inside.execute("LOCK TABLE t"));
            const auto outcome = s.execute("SELECT * FROM t");
            REQUIRE_FALSE(outcome);
            CHECK(outcome.error().what == error::kind::transient);
            CHECK(outcome.error().sqlstate == "55P03");
            return {};
        }));
    }
    SECTION("read-only") {
        must(s.execute("SET default_transaction_read_only = on"));
        CHECK(s.execute("DELETE FROM t").error().what == error::kind::transient);
        must(s.execute("SET default_transaction_read_only = off"));
    }
    SECTION("an error of the implicit commit replaces the rows that came before it") {
        must(s.script("CREATE TABLE later (id bigint REFERENCES t DEFERRABLE INITIALLY DEFERRED)"));
        const auto outcome =
            s.execute(statement{"dangling", "INSERT INTO later VALUES (9) RETURNING id"});
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().what == error::kind::data);
    }
    SECTION("a transaction begun by hand is rolled back") {
        CHECK(s.execute("BEGIN").error().what == error::kind::other);
    }
    CHECK(must(s.execute("SELECT count(*) FROM t")).integer(0, 0) == 1);
}

TEST_CASE("postgres session: no server is unavailable, and so is a bad URL") {
    options settings;
    settings.url = "postgresql://nobody@127.0.0.1:1/none";
    CHECK(session(settings).connect().error().what == error::kind::unavailable);
    settings.url = "nonsense";
    CHECK(session(settings).execute("SELECT 1").error().what == error::kind::unavailable);
}

TEST_CASE("postgres session: a backend terminated while idle is replaced unnoticed") {
    scratch_database database;
    session s(database.settings());
    constexpr statement one{"one", "SELECT 1"};
    must(s.execute(one));
    kill_backend_of(s, database.settings());
    CHECK(must(s.execute(one)).integer(0, 0) == 1);
    kill_backend_of(s, database.settings());
    must(s.transaction([&](session& inside) -> std::expected<void, error> {
        must(inside.execute(one));
        return {};
    }));
}

TEST_CASE("postgres session: a transaction commits, or rolls back on an error") {
    scratch_database database;
    session s(database.settings());
    must(s.execute("CREATE TABLE t (id bigint PRIMARY KEY)"));
    const auto count = [&] { return must(s.execute("SELECT count(*) FROM t")).integer(0, 0); };
    const auto insert = [](session& inside) -> std::expected<void, error> {
        must(inside.execute("INSERT INTO t VALUES (1)"));
        return {};
    };

    SECTION("the body's own error") {
        const auto outcome = s.transaction([&](session& inside) -> std::expected<void, error> {
            must(insert(inside));
            return std::unexpected(error{error::kind::data, "", "", "no"});
        });
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().message == "no");
        CHECK(count() == 0);
    }
    SECTION("an error that the body hides") {
        const auto outcome = s.transaction([&](session& inside) -> std::expected<void, error> {
            must(insert(inside));
            (void)inside.execute("INSERT INTO t VALUES (1)");
            return {};
        });
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().what == error::kind::unique_violation);
        CHECK(count() == 0);
    }
    SECTION("an exception") {
        CHECK_THROWS(s.transaction([&](session& inside) -> std::expected<void, error> {
            must(insert(inside));
            throw std::runtime_error("no");
        }));
        CHECK(count() == 0);
    }
    SECTION("success") {
        must(s.transaction(insert));
        CHECK(count() == 1);
    }
    SECTION("a deferred constraint fails at COMMIT") {
        must(s.script("CREATE TABLE later (id bigint REFERENCES t DEFERRABLE INITIALLY DEFERRED)"));
        const auto outcome = s.transaction([](session& inside) -> std::expected<void, error> {
            must(inside.execute("INSERT INTO later VALUES (9)"));
            return {};
        });
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().what == error::kind::data);
    }
}

TEST_CASE("postgres session: a connection lost inside a transaction stays lost until its end") {
    scratch_database database;
    session s(database.settings());
    must(s.execute("CREATE TABLE t (id bigint)"));
    const auto outcome = s.transaction([&](session& inside) -> std::expected<void, error> {
        must(inside.execute("INSERT INTO t VALUES (1)"));
        kill_backend_of(inside, database.settings());
        const auto lost = inside.execute("INSERT INTO t VALUES (2)");
        REQUIRE_FALSE(lost);
        const auto still_lost = inside.execute("INSERT INTO t VALUES (3)");
        REQUIRE_FALSE(still_lost);
        return {};  // even so it must not be taken for a success
    });
    REQUIRE_FALSE(outcome);
    CHECK((outcome.error().what == error::kind::unavailable ||
           outcome.error().what == error::kind::transient));
    CHECK(must(s.execute("SELECT count(*) FROM t")).integer(0, 0) == 0);
}

TEST_CASE("postgres session: a large result is read in pieces of one snapshot") {
    scratch_database database;
    session s(database.settings());
    must(s.script("CREATE TABLE t (id bigint); INSERT INTO t SELECT generate_series(1, 2500)"));
    session other(database.settings());
    std::vector<std::size_t> sizes;
    std::int64_t sum = 0;
    must(s.stream("SELECT id FROM t ORDER BY id", 1000, [&](const rows& piece) {
        must(other.execute("DELETE FROM t WHERE id > 1500"));
        sizes.push_back(piece.size());
        for (std::size_t row = 0; row < piece.size(); ++row)
            sum += piece.integer(row, 0);
    }));
    CHECK(sizes == std::vector<std::size_t>{1000, 1000, 500});
    CHECK(sum == 2500 * 2501 / 2);

    int pieces = 0;
    must(s.stream("SELECT id FROM t WHERE id <= 1000", 1000, [&](const rows&) { ++pieces; }));
    CHECK(pieces == 1);
    const auto writing =
        s.stream("INSERT INTO t VALUES (1) RETURNING id", 10, [](const rows&) { FAIL(); });
    CHECK_FALSE(writing);
    CHECK_FALSE(s.stream("SELECT 1 / (id - 1400) FROM t ORDER BY id", 10, [](const rows&) {}));
    CHECK(must(s.execute("SELECT count(*) FROM t")).integer(0, 0) == 1500);
}
