#pragma once

// One function for each subcommand; each returns an exit code of app.hpp or throws config_error or
// unavailable_error.

#include <string>

#include "config.hpp"

namespace flashsale::app {

int serve(const config& settings);
int migrate(const config& settings);

struct audit_request {
    bool json = false;
    double wait_s = 0;  ///< for the backlog to be recorded first
};
int audit(const config& settings, const audit_request& asked);

/// GET /livez or /readyz of a running process.
int healthcheck(const config& settings, const std::string& url, bool live);

}  // namespace flashsale::app
