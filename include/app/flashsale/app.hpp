#pragma once

// The executable's command line. Everything else of this module is its own affair.

namespace flashsale::app {

/// Exit codes, as `flashsale --help` documents them.
enum exit_code : int {
    exit_ok = 0,
    exit_does_not_hold = 1,  ///< an audit or a health check says no, or a decision cannot be made
    exit_usage = 2,          ///< the command line or the configuration is wrong
    exit_unavailable = 3,    ///< a server or folder that is needed is not to be had, or not ours
    exit_internal = 4,       ///< a bug
};

int run(int argc, char** argv);

}  // namespace flashsale::app
