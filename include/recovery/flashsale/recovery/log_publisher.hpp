#pragma once

// Publishes events and waits until the log has confirmed them, for a thread that has nothing else
// to do meanwhile.

#include <boost/asio/io_context.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "flashsale/recovery/ports.hpp"

namespace flashsale::recovery {

/// Blocking; one thread.
class log_publisher final : public publisher {
public:
    /// Confirms come on `reply_on`'s thread, which is this one: while `time` pauses. Publishing
    /// ends when `time` is stopping.
    log_publisher(asio::io_context& reply_on, events::log& log, timing& time);

    std::expected<void, std::string> publish(std::vector<std::string> events, const uuid& token,
                                             std::chrono::milliseconds patience) override;
    /// What comes of what was published is dropped from here on.
    void close() { producer_.reset(); }

private:
    void count(std::span<const events::confirmation> all);

    asio::io_context& reply_on_;
    events::log& log_;
    timing& time_;
    std::uint64_t last_ticket_ = 0;
    std::uint64_t first_of_round_ = 1;
    std::size_t durable_ = 0, failed_ = 0, returned_ = 0;
    std::unique_ptr<events::log::producer> producer_;  ///< from the first event on
};

}  // namespace flashsale::recovery
