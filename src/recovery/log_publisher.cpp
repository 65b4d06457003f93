#include <flashsale/recovery/log_publisher.hpp>

namespace flashsale::recovery {

namespace {

constexpr std::chrono::milliseconds pause_max{50};

}  // namespace

log_publisher::log_publisher(asio::io_context& reply_on, events::log& log, timing& time)
    : reply_on_(reply_on), log_(log), time_(time) {}

void log_publisher::count(std::span<const events::confirmation> all) {
    for (const events::confirmation& one : all) {
        if (one.ticket < first_of_round_) continue;  // of a round that was given up
        ++(one.what == events::outcome::durable ? durable_ : failed_);
        returned_ += one.what == events::outcome::returned;
    }
}

std::expected<void, std::string> log_publisher::publish(std::vector<std::string> events,
                                                        const uuid& token,
                                                        std::chrono::milliseconds patience) {
    if (log_.state() != events::log_state::up) return std::unexpected("log: " + log_.fault());
    if (!producer_) {
        producer_ = log_.open_producer(
            reply_on_, [this](std::span<const events::confirmation> all) { count(all); });
    }
    first_of_round_ = last_ticket_ + 1;
    durable_ = failed_ = returned_ = 0;
    const deadline until = time_.now() + patience;
    std::size_t sent = 0;
    while (durable_ + failed_ < events.size()) {
        while (sent < events.size() && producer_->append(events[sent], token, last_ticket_ + 1)) {
            ++last_ticket_;
            ++sent;
        }
        producer_->flush();
        if (time_.stopping()) return std::unexpected("stopping");
        if (time_.now() >= until) return std::unexpected("log: no confirm in time");
        time_.pause(pause_max);
    }
    if (failed_ == 0) return {};
    if (returned_ > 0)
        return std::unexpected("log: it takes no events of token " + token.to_string());
    return std::unexpected("log: " + std::to_string(failed_) + " of " +
                           std::to_string(events.size()) + " events were not confirmed");
}

}  // namespace flashsale::recovery
