#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "load/connection.hpp"
#include "load/progress.hpp"
#include "record/record_source.hpp"

namespace flashsale::bench {

/// Waits until everything accepted is stored and nothing has changed for a while, or the limit
/// passes. Returns when the last row came, as polled.
std::expected<clock::time_point, std::string> wait_until_stored(
    record_source& databases, std::span<const std::int64_t> products, std::uint64_t accepted,
    std::chrono::milliseconds limit, progress_line& progress);

}  // namespace flashsale::bench
