#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace flashsale {

/// Wall-clock time, UTC. Deadlines never use it: they use std::chrono::steady_clock.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using deadline = std::chrono::steady_clock::time_point;

timestamp wall_clock_now();

/// RFC 3339 in UTC: `2026-11-23T07:05:13.123Z`, with as many fraction digits as needed (0, 3 or 6).
std::string to_rfc3339(timestamp time);

/// Any RFC 3339 date-time, any offset, up to six fraction digits kept; 1970 to 9999 in UTC.
std::optional<timestamp> parse_rfc3339(std::string_view text);

}  // namespace flashsale
