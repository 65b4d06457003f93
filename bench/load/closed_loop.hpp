#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "load/connection.hpp"
#include "load/progress.hpp"
#include "load/traffic.hpp"

namespace flashsale::bench {

struct load_options {
    std::vector<target> targets;  ///< connections are spread over them in turn
    std::size_t connections = 64;
    /// Requests that a connection sends together, when all that it sent before are answered. With
    /// more than one, none is tried again.
    std::size_t pipelined = 1;
    /// Further tries, with the same Idempotency-Key, of a request whose outcome is unknown or whose
    /// answer was a 503.
    unsigned retries = 3;
    std::chrono::milliseconds answer_timeout{10'000};
    /// With no answer on any connection for so long, the run ends: what is under way is unknown.
    std::chrono::milliseconds give_up{30'000};
};

struct load_result {
    clock::time_point started{};
    clock::time_point finished{};
    std::uint64_t tries = 0;         ///< requests sent, retries included
    std::uint64_t broken_tries = 0;  ///< those that no answer came to
    std::string last_fault;          ///< why the last of them had none
    /// A sentence if the run could not start, or ended before all requests were done.
    std::string failure;

    double seconds() const { return std::chrono::duration<double>(finished - started).count(); }
};

/// Opens all connections, then sends: each one its next request when its last is answered. Returns
/// when the traffic is done. Uses the calling thread alone.
load_result run_closed_loop(const load_options& options, traffic& requests,
                            progress_line* progress = nullptr);

}  // namespace flashsale::bench
