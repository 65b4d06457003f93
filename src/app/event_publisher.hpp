#pragma once

// Publishes events and waits until the log has confirmed them, for callers that have nothing
// else to do meanwhile.

#include <boost/asio/io_context.hpp>

#include <flashsale/events/log.hpp>

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace flashsale::app {

class event_publisher {
public:
    /// Runs `io` while it waits; no longer than until `stopping` says so.
    event_publisher(asio::io_context& io, events::log& log, std::function<bool()> stopping);

    /// An error: not all of them are known to be in the log; some may be, or come to be.
    /// `token` is that of the gate that granted them, or of the one that is being opened.
    std::expected<void, std::string> publish(std::vector<std::string> events, const uuid& token,
                                             std::chrono::milliseconds patience);

private:
    asio::io_context& io_;
    events::log& log_;
    std::function<bool()> stopping_;
    std::uint64_t last_ticket_ = 0;
    std::uint64_t first_of_round_ = 1;
    std::size_t durable_ = 0, failed_ = 0, returned_ = 0;
    std::unique_ptr<events::log::producer> producer_;
};

}  // namespace flashsale::app
