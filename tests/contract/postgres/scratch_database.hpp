#pragma once

#include <flashsale/postgres.hpp>
#include <string>

namespace flashsale::postgres::test {

/// The server's URL, from the environment; fails the test with what to do if there is none.
std::string server_url();

/// The same server and role, another database, and another port if one is given.
std::string url_of(const std::string& database, std::uint16_t port = 0);
std::uint16_t server_port();
std::string server_host();

std::string random_database_name();
void drop_database(const std::string& name);

/// A database of this test's own, dropped at its end.
class scratch_database {
public:
    scratch_database();
    ~scratch_database();
    scratch_database(const scratch_database&) = delete;
    scratch_database& operator=(const scratch_database&) = delete;

    options settings() const;
    /// Through a fault_proxy on `port`, and impatient.
    options settings_through(std::uint16_t port) const;

private:
    std::string name_;
};

/// Ends the test with the error's text if there is one.
rows must(result outcome);
void must(std::expected<void, error> outcome);

}  // namespace flashsale::postgres::test
