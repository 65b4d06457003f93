#pragma once

// Publishes events and waits until the log has confirmed them, for callers that have nothing
// else to do meanwhile.

#include <boost/asio/io_context.hpp>

#include <flashsale/events/log.hpp>
#include <flashsale/recovery/ports.hpp>

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace flashsale::app {

class event_publisher final : public recovery::publisher {
public:
    /// Runs `io` while it waits; no longer than until `stopping` says so.
    event_publisher(asio::io_context& io, events::log& log, std::function<bool()> stopping);

    std::expected<void, std::string> publish(std::vector<std::string> events, const uuid& token,
                                             std::chrono::milliseconds patience) override;
    /// On the thread that publishes; what comes of it after that is dropped.
    void close() { producer_.reset(); }

private:
    void count(std::span<const events::confirmation> all);

    asio::io_context& io_;
    events::log& log_;
    std::function<bool()> stopping_;
    std::uint64_t last_ticket_ = 0;
    std::uint64_t first_of_round_ = 1;
    std::size_t durable_ = 0, failed_ = 0, returned_ = 0;
    std::unique_ptr<events::log::producer> producer_;  ///< from the first event on
};

}  // namespace flashsale::app
