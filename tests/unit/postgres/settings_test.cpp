#include "settings.hpp"

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
    CHECK(settings->at("options") ==
          "-c statement_timeout=5000 -c lock_timeout=2000"
          " -c idle_in_transaction_session_timeout=15000 -c TimeZone=UTC");
}

TEST_CASE("postgres settings: what the URL says wins, except the encoding") {
    const auto settings = connection_settings(
        with_url("postgresql://h/db?application_name=x&keepalives_idle=60&client_encoding=LATIN1"
                 "&connect_timeout=1&options=-c%20work_mem%3D64kB"));
    REQUIRE(settings);
    CHECK(settings->at("application_name") == "x");
    CHECK(settings->at("keepalives_idle") == "60");
    CHECK(settings->at("client_encoding") == "UTF8");
    CHECK(settings->at("options").ends_with(" -c TimeZone=UTC -c work_mem=64kB"));
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
