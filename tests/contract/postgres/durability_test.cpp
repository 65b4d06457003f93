// What a session commits is on the disk, whatever is tuned otherwise.

#include "pool_runner.hpp"

using namespace flashsale;
using namespace flashsale::postgres;
using namespace flashsale::postgres::test;
using namespace std::chrono_literals;

namespace {

constexpr statement commit_setting{"commit_setting",
                                   "SELECT current_setting('synchronous_commit')"};

std::string of_session(const options& settings) {
    session s(settings);
    return std::string(must(s.execute(commit_setting)).text(0, 0));
}

std::string of_pool(const options& settings) {
    pool_runner runner(settings, {.connections = 1});
    return std::string(must(runner.ask(commit_setting)).text(0, 0));
}

/// A setting of the whole server, until the end of the test.
class server_setting {
public:
    server_setting(std::string name, const std::string& value) : name_(std::move(name)) {
        options maintenance;
        maintenance.url = url_of("postgres");
        server_.emplace(maintenance);
        must(server_->connect());  // while it may
        REQUIRE(set("ALTER SYSTEM SET " + name_ + " = " + value, value));
    }
    ~server_setting() { CHECK(end()); }
    server_setting(const server_setting&) = delete;
    server_setting& operator=(const server_setting&) = delete;

    bool end() {
        const bool done = !server_ || set("ALTER SYSTEM RESET " + name_, "on");
        server_.reset();
        return done;
    }

private:
    /// The postmaster, whom new backends take after, has it before this one.
    bool set(const std::string& how, const std::string& value) {
        if (!server_->execute(how) || !server_->execute("SELECT pg_reload_conf()")) return false;
        const auto shown = "SELECT reset_val FROM pg_settings WHERE name = '" + name_ + "'";
        const auto until = std::chrono::steady_clock::now() + 30s;
        while (std::chrono::steady_clock::now() < until) {
            const auto found = server_->execute(shown);
            if (found && found->text(0, 0) == value) return true;
        }
        return false;
    }

    std::string name_;
    std::optional<session> server_;
};

}  // namespace

TEST_CASE("postgres: the URL cannot weaken a commit, and may strengthen it") {
    scratch_database database;
    const auto tuned = [&](const std::string& value) {
        auto settings = database.settings();
        settings.url += "?options=-csynchronous_commit%3D" + value;
        return settings;
    };
    for (const char* weaker : {"off", "local", "remote_write"}) {
        CAPTURE(weaker);
        CHECK(of_session(tuned(weaker)) == "on");
        CHECK(of_pool(tuned(weaker)) == "on");
    }
    for (const char* kept : {"on", "remote_apply"}) {
        CHECK(of_session(tuned(kept)) == kept);
        CHECK(of_pool(tuned(kept)) == kept);
    }
}

TEST_CASE("postgres: neither database nor role can weaken a commit") {
    scratch_database database;
    session owner(database.settings());
    const auto name =
        std::string(must(owner.execute("SELECT quote_ident(current_database())")).text(0, 0));
    SECTION("database") {
        must(owner.execute("ALTER DATABASE " + name + " SET synchronous_commit = off"));
    }
    SECTION("role") {
        must(owner.execute("ALTER ROLE CURRENT_USER IN DATABASE " + name +
                           " SET synchronous_commit = off"));
    }
    CHECK(of_session(database.settings()) == "on");
    CHECK(of_pool(database.settings()) == "on");
}

TEST_CASE("postgres: a server whose configuration weakens commits, also behind our back") {
    scratch_database database;
    session before(database.settings());
    must(before.connect());
    pool_runner pool_before(database.settings(), {.connections = 1});
    pool_before.wait_until_ready();

    const server_setting tuned("synchronous_commit", "off");
    CHECK(must(before.execute(commit_setting)).text(0, 0) == "on");
    CHECK(must(pool_before.ask(commit_setting)).text(0, 0) == "on");
    CHECK(of_session(database.settings()) == "on");
    CHECK(of_pool(database.settings()) == "on");
}

TEST_CASE("postgres: a server that does not flush is not used until it does") {
    for (const char* name : {"fsync", "full_page_writes"}) {
        scratch_database database;
        server_setting tuned(name, "off");
        session s(database.settings());
        const auto refused = s.connect();
        REQUIRE_FALSE(refused);
        CHECK(refused.error().what == error::kind::not_durable);
        CHECK(refused.error().message.find(std::string(name) + " = off") != std::string::npos);

        pool_runner runner(database.settings());
        REQUIRE(runner.run_until([&] {
            return runner.pool().fault().find(std::string(name) + " = off") != std::string::npos;
        }));
        const auto answer = runner.ask(commit_setting);
        REQUIRE_FALSE(answer);
        CHECK(answer.error().what == error::kind::unavailable);

        REQUIRE(tuned.end());
        must(s.connect());
        runner.wait_until_ready();
    }
}
