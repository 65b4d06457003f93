// Behind pgbouncer: what a session sets is in force, and a mode in which it would not be is
// refused.

#include "pooler.hpp"
#include <flashsale/postgres/pooler.hpp>

#include "pool_runner.hpp"

using namespace flashsale;
using namespace flashsale::postgres;
using namespace flashsale::postgres::test;
using flashsale::test::pooler;

namespace {

constexpr statement settings_of_session{
    "settings_of_session",
    "SELECT current_setting('synchronous_commit') || ' ' || current_setting('statement_timeout')"
    " || ' ' || current_setting('lock_timeout') || ' '"
    " || current_setting('idle_in_transaction_session_timeout') || ' '"
    " || current_setting('TimeZone')"};
constexpr const char* wanted = "on 5s 2s 15s UTC";

std::string settings_through(const options& settings, bool with_pool) {
    if (with_pool) {
        pool_runner runner(settings, {.connections = 1});
        return std::string(must(runner.ask(settings_of_session)).text(0, 0));
    }
    session s(settings);
    return std::string(must(s.execute(settings_of_session)).text(0, 0));
}

void tune(const scratch_database& database, const std::string& setting) {
    session owner(database.settings());
    const auto name =
        std::string(must(owner.execute("SELECT quote_ident(current_database())")).text(0, 0));
    must(owner.execute("ALTER DATABASE " + name + " SET " + setting));
}

std::string refusal(std::expected<void, error> outcome) {
    if (outcome) return "";
    CHECK(outcome.error().what == error::kind::not_durable);
    return outcome.error().message;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("postgres pooler: a session's settings are in force with none, and through one") {
    scratch_database database;
    tune(database, "statement_timeout = 0");
    auto settings = database.settings();
    std::optional<pooler> between;
    SECTION("with none") {}
    SECTION("through one") {
        between.emplace("session");
        settings.url = between->through(settings.url);
    }
    for (const bool with_pool : {false, true}) {
        CHECK(settings_through(settings, with_pool) == wanted);
        CHECK(settings_through(settings, with_pool) == wanted);  // of a connection used before
    }
    CHECK(refusal(check_pooler(settings)) == "");
}

TEST_CASE(
    "postgres pooler: one that does not hand out connections for sessions is refused by name") {
    scratch_database database;
    for (const std::string mode : {"transaction", "statement"}) {
        for (const std::string more : {"", "server_round_robin = 1", "min_pool_size = 8"}) {
            CAPTURE(mode, more);
            const pooler between(mode, more);
            auto settings = database.settings();
            settings.url = between.through(settings.url);
            const auto why = refusal(check_pooler(settings));
            CHECK(has(why, "hands out connections by the " + mode));
            CHECK(has(why, "pool_mode = session"));
        }
    }
}

TEST_CASE("postgres pooler: behind one a commit does not depend on what a session sets") {
    scratch_database database;
    tune(database, "synchronous_commit = off");
    const pooler between("session");
    auto settings = database.settings();
    CHECK(refusal(session(settings).connect()) == "");
    settings.url = between.through(settings.url);
    CHECK(has(refusal(session(settings).connect()), "behind a pooler synchronous_commit"));
    pool_runner runner(settings);
    CHECK(runner.run_until(
        [&] { return has(runner.pool().fault(), "behind a pooler synchronous_commit"); }));
}

TEST_CASE("postgres pooler: options of the URL that it drops are missed") {
    scratch_database database;
    auto settings = database.settings();
    settings.url += "?options=-cwork_mem%3D64kB";
    must(session(settings).connect());
    const pooler between("session", "ignore_startup_parameters = options");
    settings.url = between.through(settings.url);
    CHECK(has(refusal(session(settings).connect()), "dropped `options`"));
}
