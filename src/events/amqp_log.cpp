// From the workers' threads to the publisher's and back.
//
// Each worker's producer gathers what is appended until it is flushed: then it goes into the
// producer's basket, under a mutex of its own, and the publisher is woken, which empties all
// baskets, as far as one message reaches, into one message. That is the batching rule: a message
// carries what has gathered while the one before it was on its way, so an event that comes alone
// waits for nobody, and a flood travels by the hundred. A second message goes beside an unconfirmed
// one only if it is large: the broker pays for each message nearly whatever its size, and a small
// one sent at once is confirmed no sooner than as part of the next. What became of a message is
// posted to each worker that had events in it, one post a worker.
//
// An event is in exactly one place: gathered, in a basket, in a message in flight, or answered.
// stop() turns what is left in the baskets into `unknown`, the publisher does so for messages in
// flight, and flush() for what comes after stop(), so that every ticket is answered once.

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>

#include "amqp_topology.hpp"
#include "message_codec.hpp"

namespace flashsale::events {

namespace {

using confirmed_function = std::function<void(std::span<const confirmation>)>;

struct waiting_event {
    std::string text;
    std::uint64_t ticket;
};

/// One worker's end. Outlives its producer for as long as messages of it are in flight.
struct basket {
    basket(asio::io_context& io, confirmed_function function, std::size_t max)
        : reply_on(io), confirmed(std::move(function)), waiting_max(max) {}

    asio::io_context& reply_on;
    confirmed_function confirmed;  // touched on reply_on's thread alone
    const std::size_t waiting_max;

    std::atomic<std::size_t> held{0};  // appended, and not taken by the publisher
    std::atomic<std::uint64_t> appended{0};

    std::mutex mutex;
    std::deque<waiting_event> waiting;  // under mutex
    std::atomic<bool> closed{false};    // set under mutex
};

void post_confirmations(const std::shared_ptr<basket>& to, std::vector<confirmation> what) {
    asio::post(to->reply_on, [to, what = std::move(what)] {
        if (to->confirmed) to->confirmed(what);
    });
}

template <class Events>
void answer_unknown(const std::shared_ptr<basket>& to, const Events& all) {
    std::vector<confirmation> unknown;
    for (const waiting_event& event : all)
        unknown.push_back({event.ticket, outcome::unknown});
    if (!unknown.empty()) post_confirmations(to, std::move(unknown));
}

class amqp_log final : public log {
public:
    explicit amqp_log(const amqp_options& options)
        : options_(options),
          publisher_(
              connection_options(options, "publisher"), topology_of(options),
              {options.publish_window_messages_max, options.confirm_timeout},
              [this](amqp::message& message) { return next(message); },
              [this](std::uint64_t tag, amqp::outcome what) { done(tag, what); }) {}

    std::unique_ptr<producer> open_producer(asio::io_context& reply_on,
                                            confirmed_function confirmed) override {
        auto made =
            std::make_shared<basket>(reply_on, std::move(confirmed), options_.waiting_events_max);
        const std::lock_guard lock(baskets_mutex_);
        baskets_.push_back(made);
        return std::make_unique<amqp_producer>(std::move(made), publisher_);
    }

    std::expected<void, std::string> prepare() override {
        return amqp::declare(connection_options(options_, "preparation"), topology_of(options_));
    }

    log_state state() const override { return state_of(publisher_.state()); }
    std::string fault() const override { return publisher_.fault(); }
    std::uint64_t appended() const override {
        std::uint64_t events = 0;
        for (const auto& one : baskets())
            events += one->appended.load(std::memory_order_relaxed);
        return events;
    }
    void start() override { publisher_.start(); }

    void stop(std::chrono::milliseconds patience) override {
        publisher_.stop(patience);
        for (const auto& one : baskets()) {
            std::deque<waiting_event> left;
            {
                const std::lock_guard lock(one->mutex);
                one->closed = true;
                left.swap(one->waiting);
            }
            answer_unknown(one, left);
        }
    }

private:
    class amqp_producer final : public producer {
    public:
        amqp_producer(std::shared_ptr<basket> to, amqp::publisher& publisher)
            : basket_(std::move(to)), publisher_(publisher) {}

        ~amqp_producer() override { basket_->confirmed = nullptr; }

        bool append(std::string event, std::uint64_t ticket) override {
            if (basket_->closed ||
                basket_->held.load(std::memory_order_relaxed) >= basket_->waiting_max)
                return false;
            basket_->held.fetch_add(1, std::memory_order_relaxed);
            basket_->appended.fetch_add(1, std::memory_order_relaxed);
            gathered_.push_back({std::move(event), ticket});
            return true;
        }

        void flush() override {
            if (gathered_.empty()) return;
            {
                const std::lock_guard lock(basket_->mutex);
                if (basket_->closed) return answer_unknown(basket_, std::exchange(gathered_, {}));
                std::ranges::move(gathered_, std::back_inserter(basket_->waiting));
            }
            gathered_.clear();
            publisher_.wake();
        }

    private:
        std::shared_ptr<basket> basket_;
        amqp::publisher& publisher_;
        std::vector<waiting_event> gathered_;
    };

    struct in_flight {
        std::shared_ptr<basket> from;
        std::vector<std::uint64_t> tickets;
    };

    std::vector<std::shared_ptr<basket>> baskets() const {
        const std::lock_guard lock(baskets_mutex_);
        return baskets_;
    }

    static std::size_t waiting_in(std::span<const std::shared_ptr<basket>> baskets) {
        std::size_t events = 0;
        for (const auto& one : baskets) {
            const std::lock_guard lock(one->mutex);
            events += one->waiting.size();
        }
        return events;
    }

    /// Publisher's thread.
    bool next(amqp::message& message) {
        const auto all = baskets();
        if (!in_flight_.empty() && waiting_in(all) < options_.events_beside_another_min)
            return false;
        message_builder body;
        std::vector<in_flight> carried;
        std::size_t events = 0;
        for (const auto& one : all) {
            in_flight part{one, {}};
            const std::lock_guard lock(one->mutex);
            while (!one->waiting.empty() && events < options_.events_per_message_max &&
                   (body.empty() ||
                    body.bytes() + one->waiting.front().text.size() < options_.message_bytes_max)) {
                body.add(one->waiting.front().text);
                part.tickets.push_back(one->waiting.front().ticket);
                one->waiting.pop_front();
                ++events;
            }
            one->held.fetch_sub(part.tickets.size(), std::memory_order_relaxed);
            if (!part.tickets.empty()) carried.push_back(std::move(part));
        }
        if (carried.empty()) return false;
        message.routing_key = order_routing_key;
        message.body = body.take();
        message.tag = ++last_tag_;
        in_flight_.emplace(message.tag, std::move(carried));
        return true;
    }

    /// Publisher's thread.
    void done(std::uint64_t tag, amqp::outcome what) {
        const auto found = in_flight_.find(tag);
        if (found == in_flight_.end()) return;
        const auto carried = std::move(found->second);
        in_flight_.erase(found);
        const outcome result = what == amqp::outcome::confirmed ? outcome::durable
                               : what == amqp::outcome::refused ? outcome::refused
                                                                : outcome::unknown;
        for (const in_flight& part : carried) {
            std::vector<confirmation> all;
            all.reserve(part.tickets.size());
            for (const std::uint64_t ticket : part.tickets)
                all.push_back({ticket, result});
            post_confirmations(part.from, std::move(all));
        }
    }

    const amqp_options options_;
    mutable std::mutex baskets_mutex_;
    std::vector<std::shared_ptr<basket>> baskets_;                         // under baskets_mutex_
    std::unordered_map<std::uint64_t, std::vector<in_flight>> in_flight_;  // publisher's thread
    std::uint64_t last_tag_ = 0;                                           // publisher's thread
    amqp::publisher publisher_;  // last: its thread uses all of the above
};

}  // namespace

std::unique_ptr<log> make_amqp_log(const amqp_options& options) {
    return std::make_unique<amqp_log>(options);
}

}  // namespace flashsale::events
