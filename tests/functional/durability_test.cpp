// What was recorded is still there when PostgreSQL was killed, whatever is tuned otherwise; a
// server that would not keep it is refused.

#include <catch2/catch.hpp>

#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

/// A setting of the whole server, until the end of the test.
class server_setting {
public:
    server_setting(std::string name, const std::string& value) : name_(std::move(name)) {
        set("ALTER SYSTEM SET " + name_ + " = " + value);
    }
    ~server_setting() {
        try {
            set("ALTER SYSTEM RESET " + name_);
        } catch (const std::exception& why) {
            FAIL_CHECK(why.what());
        }
    }
    server_setting(const server_setting&) = delete;
    server_setting& operator=(const server_setting&) = delete;

private:
    void set(const std::string& how) {
        const auto before = value();
        stack::psql({"-c", how});
        stack::psql({"-c", "SELECT pg_reload_conf()"});
        if (!eventually(30s, [&] { return value() != before; }))
            throw std::runtime_error("the server did not take: " + how);
    }
    /// Of a new session.
    std::string value() const { return stack::psql({"-Atc", "SHOW " + name_}); }

    std::string name_;
};

}  // namespace

TEST_CASE("postgres tuned to synchronous_commit=off and killed: what was recorded is kept") {
    // Hardly anything is flushed but by those who insist.
    const server_setting lazy("wal_writer_delay", "'10s'");
    const server_setting tuned("synchronous_commit", "off");
    const sandbox world;
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 100);
    std::vector<http_response> accepted;
    for (int i = 0; i < 5; ++i) {
        accepted.push_back(place_order(client, user, product, 1));
        REQUIRE(outcome(accepted.back()) == "201");
    }
    REQUIRE(audit_fault(world) == "");  // all recorded, and the database alone keeps them

    outage(stack::server::postgres, outage::kind::killed).end();
    CHECK(world.number(sandbox::database::order, "SELECT count(*) FROM orders") == 5);
    for (const auto& one : accepted) {
        CHECK(eventually(30s, [&] { return is_shown(client, one); }));
    }
    CHECK(audit_fault(world) == "");
}

TEST_CASE("a PostgreSQL that does not flush what it commits is refused, with the reason") {
    const sandbox world;
    for (const std::string name : {"fsync", "full_page_writes"}) {
        const server_setting unsafe(name, "off");
        for (const std::string command : {"serve", "migrate"}) {
            const auto refused = world.flashsale({command});
            INFO(command << ": " << refused.output);
            CHECK(refused.exit_code == 3);
            CHECK(refused.last_line().find("the user database (postgres.user_url)") !=
                  std::string::npos);
            CHECK(refused.last_line().find(name + " = off") != std::string::npos);
        }
    }
    CHECK(world.flashsale({"migrate"}).exit_code == 0);
}
