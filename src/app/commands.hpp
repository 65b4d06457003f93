#pragma once

// One function for each subcommand; each returns an exit code of app.hpp or throws config_error or
// unavailable_error.

#include <string>

#include "site.hpp"

namespace flashsale::app {

/// `path` is read again on SIGHUP; empty: the built-in configuration.
int serve(const site& at, const std::string& path);
/// `force`: also beside sessions that may be those of processes that serve.
int migrate(const site& at, bool force);

struct audit_request {
    bool json = false;
    double wait_s = 0;   ///< for the backlog to be recorded first
    double watch_s = 0;  ///< between two audits, until one finds a fault; 0: only one
};
int run_audit(const site& at, const audit_request& asked);

struct rebuild_request {
    std::int64_t shard = 0;
    bool accept_record = false;  ///< though it is known to be behind its gate
};
/// Rebuilds the gate of one shard from the record, whether it is closed or not.
int rebuild(const site& at, const rebuild_request& asked);

struct parked_request {
    std::string action;  ///< list, show, retry, drop
    std::string id;
    bool dropped_too = false;  ///< list
};
int parked(const site& at, const parked_request& asked);

struct deployment_request {
    std::string action;  ///< show, set
    std::string name, value;
};
int deployment(const site& at, const deployment_request& asked);

/// GET /livez or /readyz of a running process.
int healthcheck(const config& settings, const std::string& url, bool live);

}  // namespace flashsale::app
