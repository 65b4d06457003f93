#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "site/deployment.hpp"
#include "load/progress.hpp"
#include "site/sale_site.hpp"

namespace flashsale::bench {

/// What one part of the machine can do when it has the machine to itself.
struct limit_row {
    std::string part;
    std::string how;
    double per_second = 0;
    std::string unit;
    std::optional<double> p50_ms{};
    std::optional<double> p99_ms{};
    /// Busy share of a core.
    std::optional<double> server_busy{};
    std::optional<double> client_busy{};
    std::string note{};
};

struct limit_sizes {
    std::chrono::milliseconds window{2'000};
    std::size_t reservations = 100'000;
    std::chrono::milliseconds publishing{1'500};
    std::size_t statements = 100;
    std::size_t syncs = 300;
    std::vector<std::size_t> connections{64, 256, 512, 2'000};
};

/// Length in bytes of our answer to an order: what the bare server's has to be.
std::size_t refusal_bytes(sale_site& site);
std::size_t acceptance_bytes(sale_site& site);

/// True if the load generator, not the server, was at its end.
bool generator_was_the_limit(const window_result& window);

limit_row measure_http(bare_site& bare, std::size_t connections, const limit_sizes& sizes);
std::vector<limit_row> measure_redis(const workplace& where, const limit_sizes& sizes);
std::vector<limit_row> measure_amqp(const workplace& where, const limit_sizes& sizes);
std::vector<limit_row> measure_postgres(const workplace& where, const limit_sizes& sizes);
limit_row measure_disk(const limit_sizes& sizes);

std::vector<limit_row> measure_limits(const workplace& where, const limit_sizes& sizes,
                                      progress_line& progress);
std::string limits_table(const std::vector<limit_row>& rows);
boost::json::array limits_json(const std::vector<limit_row>& rows);

/// One event after another at a fixed rate through our own log, and when each was confirmed.
struct publish_pace {
    histogram latency_ns;  ///< from when it was due
    histogram lag_ns;      ///< of ourselves
};
publish_pace measure_publish_pace(const deployment& world, double per_second,
                                  std::chrono::milliseconds length);

/// A complete event of an order, as the gate would have made it.
std::string sample_event(std::uint64_t seq);

}  // namespace flashsale::bench
