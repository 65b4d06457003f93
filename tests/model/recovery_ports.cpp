#include "recovery_ports.hpp"

#include "faults.hpp"

namespace flashsale::model {

void wait_for_server(process& of, const std::function<bool()>& done) {
    while (!done())
        of.block_until(done);
    reach_on_the_way(of);
}

/// A confirm ends it.
void run_time::pause(std::chrono::milliseconds most) {
    if (most.count() == 0) return of_.nap(0);
    const auto confirmed = [this, before = log_.confirms()] { return log_.confirms() != before; };
    of_.block_until(confirmed, std::chrono::microseconds(most).count());
    if (confirmed()) reach_on_the_way(of_);
}

std::unique_ptr<events::log::producer> distant_log::open_producer(
    asio::io_context& reply_on,
    std::function<void(std::span<const events::confirmation>)> confirmed) {
    return of_.log().open_producer(reply_on, [this, confirmed = std::move(confirmed)](
                                                 std::span<const events::confirmation> all) {
        ++confirms_;
        confirmed(all);
    });
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

}  // namespace flashsale::model
