#include <flashsale/amqp.hpp>
#include <future>
#include <mutex>
#include <thread>

#include "limits/limits.hpp"

namespace flashsale::bench {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds drain_patience{300};

amqp::topology names_of(const deployment& world) {
    return {.exchange = world.name() + ".limits",
            .queue = world.name() + ".limits",
            .binding_key = "order.limits",
            .dead_letter_exchange = world.name() + ".limits.dead",
            .dead_letter_queue = world.name() + ".limits.dead"};
}

amqp::options options_of(const deployment& world) {
    return {.url = world.servers().amqp, .connection_name = world.name() + " limits"};
}

/// Publishes one body again and again for a while.
class flood {
public:
    flood(const deployment& world, std::string body, std::size_t window_max, milliseconds length)
        : body_{std::move(body)},
          length_{length},
          sent_at_(window_max * 2),
          publisher_{options_of(world),
                     names_of(world),
                     {.window_max = window_max},
                     [this](amqp::message& message) { return next(message); },
                     [this](std::uint64_t tag, amqp::outcome what) { done(tag, what); }} {}

    void run() {
        publisher_.start();
        publisher_.wake();
        over_.get_future().wait_for(length_ + std::chrono::seconds{15});
        publisher_.stop(std::chrono::seconds{5});
        if (confirmed_ == 0) throw std::runtime_error("rabbitmq: " + publisher_.fault());
    }

    double seconds() const { return std::chrono::duration<double>(last_ - begin_).count(); }
    std::uint64_t confirmed() const { return confirmed_; }
    const histogram& latency() const { return latency_; }

private:
    // Both on the publisher's thread alone.
    bool next(amqp::message& message) {
        const auto now = clock::now();
        if (begin_ == clock::time_point{}) begin_ = now;
        if (now - begin_ > length_) return false;
        message.routing_key = "order.limits";
        message.body = body_;
        message.tag = ++sent_;
        sent_at_[sent_ % sent_at_.size()] = now;
        return true;
    }

    void done(std::uint64_t tag, amqp::outcome what) {
        last_ = clock::now();
        if (what == amqp::outcome::confirmed) {
            ++confirmed_;
            latency_.record((last_ - sent_at_[tag % sent_at_.size()]).count());
        }
        if (++ended_ == sent_ && last_ - begin_ > length_) over_.set_value();
    }

    const std::string body_;
    const milliseconds length_;
    std::vector<clock::time_point> sent_at_;
    clock::time_point begin_{};
    clock::time_point last_{};
    std::uint64_t sent_ = 0;
    std::uint64_t ended_ = 0;
    std::uint64_t confirmed_ = 0;
    histogram latency_;
    std::promise<void> over_;
    amqp::publisher publisher_;  // last: its thread uses the rest
};

/// What was published is of no further use.
void drain(const deployment& world) {
    amqp::consumer consumer{options_of(world), names_of(world), 128};
    while (true) {
        const auto some = consumer.receive(128, drain_patience);
        if (!some || some->empty()) break;
        if (!consumer.acknowledge_up_to(some->back().tag)) break;
    }
    consumer.close();
}

}  // namespace

std::vector<limit_row> measure_amqp(const workplace& where, const limit_sizes& sizes) {
    const deployment world{where};
    processes who;
    add_stack_servers(who);
    who.add("client", getpid());
    struct shape {
        std::size_t events;
        std::size_t in_flight;
    };
    std::vector<limit_row> rows;
    for (const auto [events, in_flight] :
         {shape{1, 1}, shape{1, 64}, shape{16, 64}, shape{256, 64}}) {
        std::string body;
        for (std::size_t i = 0; i < events; ++i) {
            body += i == 0 ? '[' : ',';
            body += sample_event(i);
        }
        flood all{world, body + "]", in_flight, sizes.publishing};
        const auto before = who.sample();
        all.run();
        const auto cpu = cpu_between(who, before, who.sample());
        const double messages = static_cast<double>(all.confirmed()) / all.seconds();
        limit_row row{.part = "RabbitMQ, confirmed",
                      .how = std::to_string(events) + " per message, " + std::to_string(in_flight) +
                             " in flight",
                      .per_second = messages * static_cast<double>(events),
                      .unit = "events/s"};
        row.p50_ms = static_cast<double>(all.latency().at(0.5)) / 1e6;
        row.p99_ms = static_cast<double>(all.latency().at(0.99)) / 1e6;
        if (cpu_of(cpu, "rabbitmq") > 0) row.server_busy = cpu_of(cpu, "rabbitmq") / all.seconds();
        row.client_busy = cpu_of(cpu, "client") / all.seconds();
        row.note = std::to_string(static_cast<std::int64_t>(messages)) + " messages/s";
        rows.push_back(std::move(row));
        drain(world);
    }
    return rows;
}

}  // namespace flashsale::bench
