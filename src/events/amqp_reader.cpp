// Messages of the recorder's queue as batches of events. A body that is no JSON array goes to the
// dead-letter queue; an element that is no event travels on in its place, as poison, for the
// recorder to park.
//
// No request waits for the recorder, and a transaction costs its writers more than its rows: so
// batches that are not full are handed out at intervals. An event that comes alone is handed out at
// once. How many messages make a batch depends on how many events those before had: few large ones
// are as good as many small ones, and while a batch is written, customers wait for the cores that
// it takes.

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "amqp_topology.hpp"
#include "message_codec.hpp"

namespace flashsale::events {

namespace {

constexpr std::size_t events_per_batch = 2'048;  // about
constexpr std::size_t messages_per_batch_min = 16;

class amqp_reader final : public reader {
public:
    explicit amqp_reader(const amqp_options& options)
        : options_(options),
          messages_max_(options.messages_per_batch_max),
          messages_(options.messages_per_batch_max),
          interval_(options.batch_interval),
          consumer_(connection_options(options, "recorder"), topology_of(options),
                    options.prefetch_messages) {}

    std::expected<batch, std::string> next(std::chrono::milliseconds patience) override {
        auto received = consumer_.receive(messages_, patience, last_ + interval_);
        if (!received) return std::unexpected(std::move(received.error()));
        if (!received->empty()) last_ = std::chrono::steady_clock::now();
        batch out;
        std::uint64_t last_good = 0;
        for (const amqp::delivery& one : *received) {
            auto entries = decode_message(one.body);
            if (!entries) {
                spdlog::error("a message of {} bytes is no JSON array: to the dead-letter queue",
                              one.body.size());
                // Not taken: the connection is gone, and the message will come again.
                if (!consumer_.dead_letter(one.tag)) break;
                continue;
            }
            last_good = one.tag;
            if (one.published_at != std::chrono::sys_seconds{}) {
                for (entry& of : *entries) {
                    if (of) base_of(*of).published_at = one.published_at;
                }
            }
            out.entries.insert(out.entries.end(), std::make_move_iterator(entries->begin()),
                               std::make_move_iterator(entries->end()));
        }
        if (!out.entries.empty()) {
            const std::size_t each =
                std::max<std::size_t>(1, out.entries.size() / received->size());
            messages_ =
                std::min(messages_max_, std::max(messages_per_batch_min, events_per_batch / each));
        }
        out.position = last_good;
        incarnation_ = consumer_.incarnation();
        return out;
    }

    void acknowledge(std::uint64_t position) override {
        if (position == 0 || consumer_.incarnation() != incarnation_) return;
        if (auto done = consumer_.acknowledge_up_to(position); !done) {
            spdlog::info("not acknowledged, it will come again: {}", done.error());
        }
    }

    bool keep_alive() override {
        return consumer_.keep_alive() && consumer_.incarnation() == incarnation_;
    }

    std::expected<bool, std::string> is_read() override {
        return amqp::is_consumed(connection_options(options_, "look"), topology_of(options_).queue);
    }

    log_state state() const override { return state_of(consumer_.state()); }
    std::string fault() const override { return consumer_.fault(); }
    void interrupt() override { consumer_.interrupt(); }
    void close() override { consumer_.close(); }

private:
    const amqp_options options_;
    const std::size_t messages_max_;
    std::size_t messages_;  // that the next batch may have
    const std::chrono::milliseconds interval_;
    std::chrono::steady_clock::time_point last_{};  // when the last batch was handed out
    std::uint64_t incarnation_ = 0;
    amqp::consumer consumer_;
};

}  // namespace

std::unique_ptr<reader> make_amqp_reader(const amqp_options& options) {
    return std::make_unique<amqp_reader>(options);
}

}  // namespace flashsale::events
