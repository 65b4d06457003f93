#include "settings.hpp"
#include "places.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::postgres;
using namespace std::chrono_literals;

namespace {

options with_url(std::string url) {
    options settings;
    settings.url = std::move(url);
    return settings;
}

}  // namespace

TEST_CASE("postgres settings: the URL is taken apart and ours are beside it") {
    const auto settings =
        connection_settings(with_url("postgresql://me:se%40cret@10.0.0.1:5433/db"));
    REQUIRE(settings);
    CHECK(settings->at("host") == "10.0.0.1");
    CHECK(settings->at("port") == "5433");
    CHECK(settings->at("user") == "me");
    CHECK(settings->at("password") == "se@cret");
    CHECK(settings->at("dbname") == "db");
    CHECK(settings->at("application_name") == "flashsale");
    CHECK(settings->at("client_encoding") == "UTF8");
    CHECK(settings->at("tcp_user_timeout") == "10000");
    CHECK(settings->at("keepalives_idle") == "5");
    CHECK_FALSE(settings->contains("options"));  // a pooler refuses them
}

TEST_CASE("postgres settings: what the URL says wins, except the encoding") {
    const auto settings = connection_settings(
        with_url("postgresql://h/db?application_name=x&keepalives_idle=60&client_encoding=LATIN1"
                 "&connect_timeout=1&options=-c%20work_mem%3D64kB"));
    REQUIRE(settings);
    CHECK(settings->at("application_name") == "x");
    CHECK(settings->at("keepalives_idle") == "60");
    CHECK(settings->at("client_encoding") == "UTF8");
    CHECK(settings->at("options") ==
          "-c statement_timeout=5000 -c lock_timeout=2000"
          " -c idle_in_transaction_session_timeout=15000 -c TimeZone=UTC -c work_mem=64kB"
          " -c flashsale.options=kept");
    CHECK_FALSE(settings->contains("connect_timeout"));
}

TEST_CASE("postgres settings: a bad URL is refused without repeating it") {
    for (const auto* url : {"", "postgresql://u:se%cret@h/db", "postgresql://h/db?colour=red"}) {
        CAPTURE(url);
        const auto settings = connection_settings(with_url(url));
        REQUIRE_FALSE(settings);
        CHECK(settings.error().find("cret") == std::string::npos);
    }
}

TEST_CASE("postgres settings: identifiers are quoted") {
    CHECK(quote_identifier("a\"b") == "\"a\"\"b\"");
}

TEST_CASE(
    "postgres url: what libpq would refuse later, or nobody could use, is refused where it is "
    "read") {
    for (const auto* url :
         {"postgresql://h", "postgres://u:p%40@h:5432/db", "postgresql://h1,h2:5433/db",
          "postgresql://h1:1,h2:2/db?target_session_attrs=read-write", "postgresql:///db",
          "postgresql://%2Frun%2Fpostgresql/db", "postgresql://[::1]:5432/db",
          "postgresql://h/db?sslmode=verify-full&sslrootcert=/x",
          "postgresql://h/db?hostaddr=10.0.0.1", "postgresql://h/db?keepalives_idle=60"}) {
        CAPTURE(url);
        const auto checked = check_url(url);
        CHECK((checked ? "" : checked.error()) == "");
    }
    for (const auto* url :
         {"", "host=h", "mysql://h/db", "postgresql://u:p@ss@h/db", "postgresql://h i/db",
          "postgresql://h:0/db", "postgresql://h:65536/db", "postgresql://h:x/db",
          "postgresql://h/db?colour=red", "postgresql://h/db?sslmode=maybe",
          "postgresql://h1:1,h2:2,h3/db?port=1,2", "postgresql://h/db?hostaddr=10.0.0.1,10.0.0.2",
          "postgresql://h/db?hostaddr=localhost", "postgresql://h/db?keepalives_idle=soon",
          "postgresql://h/db?target_session_attrs=standby", "postgresql://h/db?channel_binding=no",
          "postgresql://h/db?replication=database", "postgresql://h/d%00b",
          "postgresql://h/db?service=none-of-this-name"}) {
        CAPTURE(url);
        const auto checked = check_url(url);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().find("expected postgresql://") != std::string::npos);
    }
}

TEST_CASE(
    "postgres url: what is shown of it has no password in it, and of another form nothing is") {
    CHECK(shown("postgresql://shop:hunter2@10.0.0.1:5432/sale") ==
          "postgresql://shop:***@10.0.0.1:5432/sale");
    CHECK(shown("postgresql://shop@h/sale?password=hunter2&sslpassword=hunter2") ==
          "postgresql://shop:***@h/sale");
    CHECK(shown("postgresql://h1:1,h2:2/sale?user=shop") == "postgresql://shop@h1:1,h2:2/sale");
    CHECK(shown("postgresql://shop:hun%40ter2@[::1]/sale?application_name=hunter2") ==
          "postgresql://shop:***@[::1]/sale");
    for (const auto* other :
         {"postgresql://shop:hun@ter2@h/sale", "postgresql://shop:hun/ter2@h/sale",
          "host=h password=hunter2", "postgresql://shop:hunter2%@h/sale", "hunter2"}) {
        CAPTURE(other);
        CHECK(shown(other) == "a URL that is not shown");
    }
}

TEST_CASE(
    "postgres places: each host is one of its own, with its port, and each address of a name") {
    const auto several = connection_settings(with_url("postgresql://u@127.0.0.2:1,127.0.0.3:2/db"));
    REQUIRE(several);
    const auto places = places_of(*several);
    REQUIRE(places);
    REQUIRE(places->size() == 2);
    CHECK(places->at(0).at("hostaddr") == "127.0.0.2");
    CHECK(places->at(0).at("port") == "1");
    CHECK(places->at(1).at("hostaddr") == "127.0.0.3");
    CHECK(name_of_place(places->at(1)) == "127.0.0.3:2");
    CHECK(places->at(1).at("dbname") == "db");

    const auto one_port =
        connection_settings(with_url("postgresql://127.0.0.2,127.0.0.3/db?port=7"));
    REQUIRE(one_port);
    CHECK(hosts_of(*one_port).at(1).at("port") == "7");
    const auto socket = connection_settings(with_url("postgresql://%2Frun/db"));
    REQUIRE(socket);
    CHECK_FALSE(places_of(*socket)->at(0).contains("hostaddr"));
}
