#include "event_publisher.hpp"

namespace flashsale::app {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

event_publisher::event_publisher(asio::io_context& io, events::log& log,
                                 std::function<bool()> stopping)
    : io_(io), log_(log), stopping_(std::move(stopping)) {}

void event_publisher::count(std::span<const events::confirmation> all) {
    for (const events::confirmation& one : all) {
        if (one.ticket < first_of_round_) continue;  // of a round that was given up
        ++(one.what == events::outcome::durable ? durable_ : failed_);
        returned_ += one.what == events::outcome::returned;
    }
}

std::expected<void, std::string> event_publisher::publish(std::vector<std::string> events,
                                                          const uuid& token,
                                                          std::chrono::milliseconds patience) {
    if (log_.state() != events::log_state::up) return std::unexpected("log: " + log_.fault());
    if (!producer_) {
        producer_ = log_.open_producer(
            io_, [this](std::span<const events::confirmation> all) { count(all); });
    }
    first_of_round_ = last_ticket_ + 1;
    durable_ = failed_ = returned_ = 0;
    const auto until = steady::now() + patience;
    std::size_t sent = 0;
    while (durable_ + failed_ < events.size()) {
        while (sent < events.size() && producer_->append(events[sent], token, last_ticket_ + 1)) {
            ++last_ticket_;
            ++sent;
        }
        producer_->flush();
        if (stopping_()) return std::unexpected("stopping");
        if (steady::now() >= until) return std::unexpected("log: no confirm in time");
        io_.restart();
        io_.run_one_for(50ms);
    }
    if (failed_ == 0) return {};
    if (returned_ > 0)
        return std::unexpected("log: it takes no events of token " + token.to_string());
    return std::unexpected("log: " + std::to_string(failed_) + " of " +
                           std::to_string(events.size()) + " events were not confirmed");
}

}  // namespace flashsale::app
