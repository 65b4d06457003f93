#include "recovery_ports.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace flashsale::app {

using namespace std::chrono_literals;

recovery_ports::recovery_ports(const config& settings, stock::shard_epochs& epochs,
                               events::log& log, const std::string& deployment,
                               stack_record& record, std::function<bool()> stopping)
    : stopping_(std::move(stopping)),
      epochs_(epochs),
      log_(log),
      access_(io_, settings, epochs),
      record_(record),
      publisher_(io_, log, *this) {
    std::uint32_t shard = 0;
    for (redis::client* client : access_.clients()) {
        gates_.push_back(stock::make_redis_gate_admin(wait_on(io_), *client, shard++,
                                                      redis_gate_options(settings, deployment)));
    }
}

recovery::ports recovery_ports::all() {
    recovery::ports out{.registry = *record_.registry,
                        .products = *record_.ports.products,
                        .ledger = *record_.ports.ledger,
                        .order_database = *record_.recovery,
                        .orders = *record_.ports.orders,
                        .late = *record_.late,
                        .gates = {},
                        .gate = access_.gate(),
                        .epochs = epochs_,
                        .log = log_,
                        .publisher = publisher_,
                        .timing = *this,
                        .make_id = [this](std::uint32_t shard) { return ids_.make(shard); }};
    for (const auto& one : gates_)
        out.gates.push_back(one.get());
    return out;
}

void recovery_ports::start(std::chrono::milliseconds patience) {
    access_.start();
    const deadline until = now() + patience;
    const auto connected = [this] {
        return std::ranges::all_of(gates_, [](const auto& one) { return one->ready(); });
    };
    while (!stopping_() && !connected() && now() < until)
        pause(10ms);
}

void recovery_ports::stop() {
    publisher_.close();
    access_.stop();
    io_.restart();
    io_.poll();
}

void recovery_ports::run_until(deadline until) {
    io_.restart();
    io_.run_one_until(until);
}

void recovery_ports::wake() {
    asio::post(io_, [] {});
}

void recovery_ports::pause(std::chrono::milliseconds most) {
    io_.restart();
    io_.run_one_for(most);
}

void recovery_ports::wait(const std::function<bool()>& done) {
    wait_on(io_)(done);
}

}  // namespace flashsale::app
