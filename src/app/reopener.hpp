#pragma once

// Rebuilds a shard's gate from the record (reopening.hpp). Blocking; one thread, which runs `io`.

#include <boost/asio/io_context.hpp>

#include <expected>
#include <functional>
#include <string>

#include <flashsale/events/log.hpp>
#include <flashsale/stock/recovery.hpp>

#include "config.hpp"
#include "event_publisher.hpp"

namespace flashsale::app {

struct reopened {
    std::uint64_t generation = 0;
    std::size_t products = 0, orders = 0, parked = 0, reductions = 0;
    std::size_t survivors = 0;  ///< outbox entries published once more
    std::size_t mended = 0;     ///< orders that had no movement
    bool closed_older = false;  ///< the gate that it replaces was met, and closed
    std::chrono::milliseconds took{0};
    std::chrono::milliseconds loading{0};
};

struct reopener_dependencies {
    const config& settings;
    asio::io_context& io;
    redis::client& gate_server;  ///< the shard's, on `io`
    postgres::session& stock_database;
    postgres::session& order_database;
    events::log& log;
    event_publisher& publisher;     ///< on `io`
    const std::string& deployment;  ///< as agree_on_deployment() returned it
    std::function<bool()> stopping;
    /// The recorder of this process is to read the log anew: a barrier is long out. May be
    /// empty.
    std::function<void()> read_anew = {};
};

/// One attempt, by the holder of the shard's lease. An error says why it was given up; the gate is
/// then closed, and another attempt may be made.
std::expected<reopened, std::string> reopen(const reopener_dependencies& uses, std::uint32_t shard,
                                            std::uint32_t shards, const uuid& holder);

}  // namespace flashsale::app
