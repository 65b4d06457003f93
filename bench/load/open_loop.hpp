#pragma once

#include <chrono>
#include <string>

#include "load/closed_loop.hpp"
#include "load/histogram.hpp"

namespace flashsale::bench {

struct open_loop_options {
    load_options load;  ///< no retries here: a request has one try
    double per_second = 1'000;
    std::chrono::milliseconds warm_up{500};  ///< requests due in it are not counted
    std::chrono::milliseconds length{5'000};
};

struct open_loop_result {
    double seconds = 0;  ///< first counted request due to the last
    std::uint64_t counted = 0;
    /// How late the generator was at each request that was due. What a request then still waits for
    /// a free connection is the server's doing, and is in the latency alone.
    histogram lag_ns;
    std::uint64_t broken = 0;  ///< requests without an answer
    std::string last_fault;
    std::string failure;  ///< a sentence if it could not start or had to end early
};

/// Sends each request when it is due, whatever became of those before it. Latencies count from
/// that moment, and not from the sending: a server that stalls is charged for all requests that
/// came meanwhile. `warmed` is called when the first counted request is due.
open_loop_result run_open_loop(const open_loop_options& options, traffic& requests,
                               const std::function<void()>& warmed = {},
                               progress_line* progress = nullptr);

/// A generator that was late by more than this in one request of a hundred measured itself.
inline constexpr std::chrono::milliseconds lag_p99_max_default{2};
/// Why no percentile of a run means anything; empty if they do.
std::string lateness(const histogram& lag_ns,
                     std::chrono::milliseconds lag_p99_max = lag_p99_max_default);

}  // namespace flashsale::bench
