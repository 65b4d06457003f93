#include "recovery_ports.hpp"

#include <algorithm>

#include "faults.hpp"

namespace flashsale::model {

namespace {

using namespace std::chrono_literals;

constexpr auto look_at_room = 50ms;

micros micros_of(std::chrono::nanoseconds time) {
    return std::chrono::ceil<std::chrono::microseconds>(time).count();
}

}  // namespace

void wait_for_server(process& of, const std::function<bool()>& done) {
    while (!done())
        of.block_until(done);
    reach_on_the_way(of);
}

void run_time::pause(std::chrono::milliseconds most) {
    of_.nap(micros_of(most));
}

template <class What>
std::expected<void, std::string> distant_log::there_and_back(What what) {
    of_.nap(of_.in.transit());
    auto done = what();
    of_.nap(of_.in.transit());
    reach_on_the_way(of_);
    return done;
}

std::expected<void, std::string> distant_log::prepare() {
    return there_and_back([this] { return of_.log().prepare(); });
}

std::expected<void, std::string> distant_log::bind(const uuid& token) {
    const bool mends = of_.in.stock->state == "open";
    reach(of_, mends ? "before the reconciler binds" : "before the rebuild binds");
    auto done = there_and_back([&] { return of_.log().bind(token); });
    // Without the guard the token that was lost is bound once more, and the gate asked again.
    if (mends && of_.in.is_without(guard::fresh_token)) of_.epochs().saw(0, uuid{});
    if (mends) reach(of_, "after the reconciler has bound");
    return done;
}

std::expected<void, std::string> distant_log::unbind(std::span<const uuid> tokens) {
    return there_and_back([&] { return of_.log().unbind(tokens); });
}

std::expected<void, std::string> distant_log::prove_unbound(std::span<const uuid> tokens) {
    return there_and_back([&] { return of_.log().prove_unbound(tokens); });
}

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
            of_.io(), [this](std::span<const events::confirmation> all) { count(all); });
    }
    first_of_round_ = last_ticket_ + 1;
    durable_ = failed_ = returned_ = 0;
    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto until = now() + patience;
    std::size_t sent = 0;
    while (durable_ + failed_ < events.size()) {
        while (sent < events.size() && producer_->append(events[sent], token, last_ticket_ + 1)) {
            ++last_ticket_;
            ++sent;
        }
        producer_->flush();
        if (now() >= until) return std::unexpected("log: no confirm in time");
        const auto most = sent < events.size()
                              ? std::min<std::chrono::nanoseconds>(until - now(), look_at_room)
                              : until - now();
        of_.block_until([&] { return durable_ + failed_ >= sent; }, micros_of(most));
    }
    reach_on_the_way(of_);
    if (failed_ == 0) return {};
    if (returned_ > 0)
        return std::unexpected("log: it takes no events of token " + token.to_string());
    return std::unexpected("log: " + std::to_string(failed_) + " of " +
                           std::to_string(events.size()) + " events were not confirmed");
}

}  // namespace flashsale::model
