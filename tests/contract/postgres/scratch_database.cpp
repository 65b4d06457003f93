#include "scratch_database.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

namespace flashsale::postgres::test {

namespace {

struct url_parts {
    std::string before_host;  // "postgresql://user:password@"
    std::string host;
    std::string port;
};

url_parts take_apart(const std::string& url) {
    const auto host = url.find('@') + 1;
    const auto path = url.find('/', host);
    const auto colon = url.find(':', host);
    if (host == 0 || path == std::string::npos || colon > path) {
        FAIL("FLASHSALE_POSTGRES__STOCK_URL is not postgresql://user:password@host:port/database");
    }
    return {url.substr(0, host), url.substr(host, colon - host),
            url.substr(colon + 1, path - colon - 1)};
}

}  // namespace

std::string server_url() {
    const char* url = std::getenv("FLASHSALE_POSTGRES__STOCK_URL");
    if (!url) {
        FAIL(
            "no server: run script/test, or start the servers: script/stack up, then "
            "eval \"$(script/stack env)\"");
    }
    return url;
}

std::string server_host() {
    return take_apart(server_url()).host;
}

std::uint16_t server_port() {
    return static_cast<std::uint16_t>(std::stoi(take_apart(server_url()).port));
}

std::string url_of(const std::string& database, std::uint16_t port) {
    const auto parts = take_apart(server_url());
    const auto host = port ? "127.0.0.1:" + std::to_string(port) : parts.host + ":" + parts.port;
    return parts.before_host + host + "/" + database;
}

std::string random_database_name() {
    std::random_device random;
    return "flashsale_test_" + std::to_string(random()) + std::to_string(random());
}

void drop_database(const std::string& name) {
    options maintenance;
    maintenance.url = url_of("postgres");
    maintenance.statement_timeout = std::chrono::seconds(30);
    session server(maintenance);
    (void)server.execute("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
}

scratch_database::scratch_database() : name_(random_database_name()) {
    options maintenance;
    maintenance.url = url_of("postgres");
    maintenance.statement_timeout = std::chrono::seconds(30);
    session server(maintenance);
    must(server.execute("CREATE DATABASE " + name_ + " TEMPLATE template0"));
}

scratch_database::~scratch_database() {
    drop_database(name_);
}

options scratch_database::settings() const {
    options settings;
    settings.url = url_of(name_);
    return settings;
}

options scratch_database::settings_through(std::uint16_t port) const {
    options settings;
    settings.url = url_of(name_, port);
    settings.connect_timeout = std::chrono::seconds(5);
    settings.statement_timeout = std::chrono::seconds(2);
    return settings;
}

rows must(result outcome) {
    if (!outcome) FAIL(outcome.error().sqlstate << " " << outcome.error().message);
    return std::move(*outcome);
}

void must(std::expected<void, error> outcome) {
    if (!outcome) FAIL(outcome.error().sqlstate << " " << outcome.error().message);
}

}  // namespace flashsale::postgres::test
