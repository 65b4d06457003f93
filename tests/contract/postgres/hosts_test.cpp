// Several hosts in one URL: one that does not answer costs its own deadline, and nothing else.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "pool_runner.hpp"

using namespace flashsale;
using namespace flashsale::postgres;
using namespace flashsale::postgres::test;
using namespace std::chrono_literals;

namespace {

constexpr statement echo{"echo", "SELECT $1::bigint"};

/// Lets every client connect, and never says a word.
class silent_server {
public:
    std::string place() const {
        return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
    }

private:
    boost::asio::io_context io_;
    boost::asio::ip::tcp::acceptor acceptor_{io_, {boost::asio::ip::make_address("127.0.0.1"), 0}};
};

options with_hosts_first(const scratch_database& database, const std::string& hosts) {
    options out = database.settings();
    out.url.insert(out.url.find('@') + 1, hosts + ",");
    out.connect_timeout = 2'500ms;  // of the one that answers, too, on a busy machine
    return out;
}

}  // namespace

TEST_CASE("postgres hosts: a session comes to one that answers behind two that do not") {
    const scratch_database database;
    const silent_server first, second;
    session s(with_hosts_first(database, first.place() + "," + second.place()));
    must(s.connect());
    CHECK(must(s.execute(echo, parameters().integer(7))).integer(0, 0) == 7);
}

TEST_CASE("postgres hosts: a pool comes to one that answers behind two that do not") {
    const scratch_database database;
    const silent_server first, second;
    pool_runner runner(with_hosts_first(database, first.place() + "," + second.place()));
    runner.wait_until_ready();
    CHECK(must(runner.ask(echo, parameters().integer(7))).integer(0, 0) == 7);
}

TEST_CASE("postgres hosts: when none answers each is named, with its reason") {
    const silent_server silent;
    options settings;
    settings.url = "postgresql://u:hunter2@" + silent.place() + ",127.0.0.1:1/db";
    settings.connect_timeout = 300ms;
    session s(settings);
    const auto failed = s.connect();
    REQUIRE_FALSE(failed);
    CHECK_THAT(failed.error().message,
               Catch::Contains("no connection to " + silent.place() + " within 300 ms"));
    CHECK_THAT(failed.error().message, Catch::Contains("port 1 failed"));
    CHECK_THAT(failed.error().message, !Catch::Contains("hunter2"));
}
