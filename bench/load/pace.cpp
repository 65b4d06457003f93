#include <boost/asio/steady_timer.hpp>
#include <flashsale/events/amqp.hpp>
#include <thread>

#include "load/arrivals.hpp"
#include "limits/limits.hpp"
#include "load/priority.hpp"

namespace flashsale::bench {

namespace {

using std::chrono::milliseconds;

/// Hands events to a log when they are due, and hears of their confirms, on this thread.
class paced {
public:
    paced(events::log& log, double per_second, milliseconds length)
        : schedule_{clock::now(), per_second},
          end_{clock::now() + length},
          producer_{log.open_producer(
              io_, [this](std::span<const events::confirmation> all) { confirmed(all); })} {}

    void run() {
        const first_in_line now;
        tick();
        io_.run_for(std::chrono::duration_cast<milliseconds>(end_ - clock::now()) +
                    std::chrono::seconds{10});
    }

    const histogram& latency() const { return latency_; }
    const histogram& lag() const { return lag_; }
    bool complete() const { return refused_ == 0 && latency_.count() == sent_; }

private:
    void tick() {
        const auto now = clock::now();
        for (const auto due = schedule_.due_by(std::min(now, end_)); sent_ < due; ++sent_) {
            lag_.record((now - schedule_.due(sent_)).count());
            if (!producer_->append(sample_event(sent_), uuid{}, sent_)) ++refused_;
        }
        producer_->flush();
        if (now >= end_) return finish();
        timer_.expires_at(schedule_.look_again(sent_, now));
        timer_.async_wait([this](boost::system::error_code) { tick(); });
    }

    void confirmed(std::span<const events::confirmation> all) {
        const auto now = clock::now();
        for (const auto& one : all) {
            ++ended_;
            if (one.what != events::outcome::durable) {
                ++refused_;
                continue;
            }
            latency_.record((now - schedule_.due(one.ticket)).count());
        }
        finish();
    }

    void finish() {
        if (clock::now() >= end_ && ended_ + refused_ >= sent_) io_.stop();
    }

    asio::io_context io_{1};
    asio::steady_timer timer_{io_};
    asio::executor_work_guard<executor> work_{io_.get_executor()};
    arrivals schedule_;
    clock::time_point end_;
    std::unique_ptr<events::log::producer> producer_;
    std::uint64_t sent_ = 0;
    std::uint64_t ended_ = 0;
    std::uint64_t refused_ = 0;
    histogram latency_;
    histogram lag_;
};

void drain(const events::amqp_options& options) {
    const auto reader = events::make_amqp_reader(options);
    while (true) {
        const auto batch = reader->next(milliseconds{300});
        if (!batch || batch->empty()) break;
        reader->acknowledge(batch->position);
    }
    reader->close();
}

}  // namespace

publish_pace measure_publish_pace(const deployment& world, double per_second, milliseconds length) {
    events::amqp_options options;
    options.url = world.servers().amqp;
    options.name_prefix = world.name() + ".pace";
    options.takes_nil_token = true;
    const auto log = events::make_amqp_log(options);
    log->start();
    for (int i = 0; i < 1'000 && log->state() != events::log_state::up; ++i)
        std::this_thread::sleep_for(milliseconds{5});
    publish_pace found;
    {
        // Twice: the first events of a new queue are slow.
        paced warm_up{*log, per_second, milliseconds{300}};
        warm_up.run();
        paced measured{*log, per_second, length};
        measured.run();
        if (!measured.complete()) throw std::runtime_error("rabbitmq: " + log->fault());
        found = {measured.latency(), measured.lag()};
    }
    log->stop(std::chrono::seconds{5});
    drain(options);
    return found;
}

}  // namespace flashsale::bench
