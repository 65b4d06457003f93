#include <spdlog/spdlog.h>

#include "redis_scripts.hpp"

namespace flashsale::stock {

errc errc_of(const redis::error& error) {
    switch (error.what) {
        case redis::error::kind::unavailable:
            return errc::dependency_unavailable;
        case redis::error::kind::overloaded:
            return errc::overloaded;
        case redis::error::kind::outcome_unknown:
            return errc::outcome_unknown;
        case redis::error::kind::refused:
            break;
    }
    // These come before a script's first line; any other error came from within it.
    for (const char* harmless : {"OOM", "MISCONF", "READONLY", "LOADING", "BUSY", "MASTERDOWN",
                                 "NOREPLICAS", "NOPERM", "NOAUTH"}) {
        if (error.message.starts_with(harmless)) return errc::dependency_unavailable;
    }
    spdlog::error("redis answered a gate script with: {}", error.message);
    return errc::outcome_unknown;
}

}  // namespace flashsale::stock
