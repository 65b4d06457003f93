// From the workers' threads to the publisher's and back.
//
// An event travels under the routing key of the gate that granted it, so a message carries events
// of one token. There is one token for each shard, and for a moment two where a gate is opened
// anew; each basket keeps what waits by token.
//
// Each worker's producer gathers what is appended until it is flushed: then it goes into the
// producer's basket, under a mutex of its own, and the publisher is woken, which empties all
// baskets, as far as one message reaches, into one message. That is the batching rule: a message
// carries what has gathered while the one before it was on its way, so an event that comes alone
// does not wait, and a flood travels by the hundred. A second message goes beside an unconfirmed
// one only if it is large: the broker pays for each message nearly whatever its size, and a small
// one sent at once is confirmed no sooner than as part of the next. That is so for each token; they
// take turns. What became of a message is
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

#include <flashsale/base/must_hold.hpp>

#include "amqp_topology.hpp"
#include "message_codec.hpp"

namespace flashsale::events {

namespace {

using confirmed_function = std::function<void(std::span<const confirmation>)>;

struct waiting_event {
    std::string text;
    std::uint64_t ticket;
};

/// What waits of one token, in order.
struct lane {
    uuid token;
    std::deque<waiting_event> waiting;
};

/// A lane that is empty is kept for its next event, unless there are more than this.
constexpr std::size_t empty_lanes_max = 16;

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
    std::vector<lane> lanes;          // under mutex
    std::atomic<bool> closed{false};  // set under mutex

    /// Under mutex.
    std::deque<waiting_event>& waiting_of(const uuid& token) {
        const auto found = std::ranges::find(lanes, token, &lane::token);
        if (found != lanes.end()) return found->waiting;
        if (lanes.size() >= empty_lanes_max)
            std::erase_if(lanes, [](const lane& one) { return one.waiting.empty(); });
        return lanes.emplace_back(lane{token, {}}).waiting;
    }
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
    amqp_log(const amqp_options& options, std::function<void(const uuid&)> returned)
        : options_(options),
          returned_(std::move(returned)),
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

    std::expected<void, std::string> bind(const uuid& token) override {
        const std::string key = token.to_string();
        return amqp::bind(connection_options(options_, "fence"), topology_of(options_),
                          std::span(&key, 1));
    }

    std::expected<void, std::string> unbind(std::span<const uuid> tokens) override {
        return amqp::unbind(connection_options(options_, "fence"), topology_of(options_),
                            keys_of(tokens));
    }

    std::expected<void, std::string> prove_unbound(std::span<const uuid> tokens) override {
        if (tokens.empty()) return {};
        const auto bound =
            amqp::find_bound(connection_options(options_, "fence's proof"), topology_of(options_),
                             keys_of(tokens), no_events, options_.confirm_timeout);
        if (!bound) return std::unexpected(bound.error());
        if (bound->empty()) return {};
        return std::unexpected("events with the routing key " + bound->front() +
                               " are still taken: a queue that is not ours is bound to the "
                               "exchange " +
                               topology_of(options_).exchange);
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
            std::vector<lane> left;
            {
                const std::lock_guard lock(one->mutex);
                one->closed = true;
                left.swap(one->lanes);
            }
            for (const lane& each : left)
                answer_unknown(one, each.waiting);
        }
    }

private:
    class amqp_producer final : public producer {
    public:
        amqp_producer(std::shared_ptr<basket> to, amqp::publisher& publisher)
            : basket_(std::move(to)), publisher_(publisher) {}

        ~amqp_producer() override { basket_->confirmed = nullptr; }

        bool append(std::string event, const uuid& token, std::uint64_t ticket) override {
            if (basket_->closed ||
                basket_->held.load(std::memory_order_relaxed) >= basket_->waiting_max)
                return false;
            basket_->held.fetch_add(1, std::memory_order_relaxed);
            basket_->appended.fetch_add(1, std::memory_order_relaxed);
            if (gathered_.empty() ||
                (gathered_.back().token != token && !gathered_.back().waiting.empty()))
                gathered_.emplace_back();
            gathered_.back().token = token;
            gathered_.back().waiting.push_back({std::move(event), ticket});
            return true;
        }

        void flush() override {
            if (gathered_.empty() || gathered_.front().waiting.empty()) return;
            {
                const std::lock_guard lock(basket_->mutex);
                if (basket_->closed) return give_up();
                for (gathered& run : gathered_)
                    std::ranges::move(run.waiting,
                                      std::back_inserter(basket_->waiting_of(run.token)));
            }
            // Its memory is kept for the next one.
            gathered_.resize(1);
            gathered_.front().waiting.clear();
            publisher_.wake();
        }

    private:
        /// A run of neighbours that have one token.
        struct gathered {
            uuid token;
            std::vector<waiting_event> waiting;
        };

        void give_up() {
            for (const gathered& run : std::exchange(gathered_, {}))
                answer_unknown(basket_, run.waiting);
        }

        std::shared_ptr<basket> basket_;
        amqp::publisher& publisher_;
        std::vector<gathered> gathered_;
    };

    struct part {
        std::shared_ptr<basket> from;
        std::vector<std::uint64_t> tickets;
    };
    struct in_flight {
        uuid token;
        std::vector<part> parts;
    };
    struct waiting_of_token {
        uuid token;
        std::size_t events = 0;
    };

    std::vector<std::shared_ptr<basket>> baskets() const {
        const std::lock_guard lock(baskets_mutex_);
        return baskets_;
    }

    /// A message without events: its consumer has nothing to do.
    static constexpr const char* no_events = "[]";

    static std::vector<std::string> keys_of(std::span<const uuid> tokens) {
        std::vector<std::string> out;
        for (const uuid& one : tokens)
            out.push_back(one.to_string());
        return out;
    }

    void count_waiting(std::span<const std::shared_ptr<basket>> baskets) {
        waiting_.clear();
        for (const auto& one : baskets) {
            const std::lock_guard lock(one->mutex);
            for (const lane& each : one->lanes) {
                if (each.waiting.empty()) continue;
                auto found = std::ranges::find(waiting_, each.token, &waiting_of_token::token);
                if (found == waiting_.end())
                    found = waiting_.insert(waiting_.end(), waiting_of_token{each.token, 0});
                found->events += each.waiting.size();
            }
        }
    }

    bool may_go(const waiting_of_token& one) const {
        return one.events >= options_.events_beside_another_min ||
               std::ranges::none_of(in_flight_, [&](const auto& message) {
                   return message.second.token == one.token;
               });
    }

    /// Of the tokens of which something may go now, the next after the last one.
    std::optional<uuid> choose_token(std::span<const std::shared_ptr<basket>> baskets) {
        count_waiting(baskets);
        const waiting_of_token *next = nullptr, *first = nullptr;
        for (const waiting_of_token& one : waiting_) {
            if (!may_go(one)) continue;
            if (!first || one.token < first->token) first = &one;
            if (one.token > last_token_ && (!next || one.token < next->token)) next = &one;
        }
        if (!next) next = first;
        if (!next) return std::nullopt;
        return last_token_ = next->token;
    }

    /// Publisher's thread.
    bool next(amqp::message& message) {
        const auto all = baskets();
        const auto token = choose_token(all);
        if (!token) return false;
        message_builder body;
        std::vector<part> carried;
        std::size_t events = 0;
        for (const auto& one : all) {
            part from{one, {}};
            const std::lock_guard lock(one->mutex);
            const auto found = std::ranges::find(one->lanes, *token, &lane::token);
            if (found == one->lanes.end()) continue;
            auto& waiting = found->waiting;
            while (!waiting.empty() && events < options_.events_per_message_max &&
                   (body.empty() ||
                    body.bytes() + waiting.front().text.size() < options_.message_bytes_max)) {
                body.add(waiting.front().text);
                from.tickets.push_back(waiting.front().ticket);
                waiting.pop_front();
                ++events;
            }
            const std::size_t taken = from.tickets.size();
            must_hold(one->held.fetch_sub(taken, std::memory_order_relaxed) >= taken,
                      "what is published was appended, and not published before");
            if (!from.tickets.empty()) carried.push_back(std::move(from));
        }
        if (carried.empty()) return false;
        message.routing_key.clear();
        token->append_to(message.routing_key);
        message.body = body.take();
        message.tag = ++last_tag_;
        const bool is_new =
            in_flight_.emplace(message.tag, in_flight{*token, std::move(carried)}).second;
        must_hold(is_new, "a tag is of one message");
        return true;
    }

    static outcome outcome_of(amqp::outcome what) {
        switch (what) {
            case amqp::outcome::confirmed:
                return outcome::durable;
            case amqp::outcome::returned:
                return outcome::returned;
            case amqp::outcome::refused:
                return outcome::refused;
            case amqp::outcome::unknown:
                break;
        }
        return outcome::unknown;
    }

    /// Publisher's thread.
    void done(std::uint64_t tag, amqp::outcome what) {
        const auto found = in_flight_.find(tag);
        if (found == in_flight_.end()) return;
        const auto carried = std::move(found->second);
        in_flight_.erase(found);
        if (what == amqp::outcome::returned && returned_) returned_(carried.token);
        const outcome result = outcome_of(what);
        for (const part& each : carried.parts) {
            std::vector<confirmation> all;
            all.reserve(each.tickets.size());
            for (const std::uint64_t ticket : each.tickets)
                all.push_back({ticket, result});
            post_confirmations(each.from, std::move(all));
        }
    }

    const amqp_options options_;
    const std::function<void(const uuid&)> returned_;
    mutable std::mutex baskets_mutex_;
    std::vector<std::shared_ptr<basket>> baskets_;  // under baskets_mutex_
    std::unordered_map<std::uint64_t, in_flight>
        in_flight_;                          // publisher's thread, like what follows
    std::vector<waiting_of_token> waiting_;  // as choose_token() found it
    uuid last_token_;
    std::uint64_t last_tag_ = 0;
    amqp::publisher publisher_;  // last: its thread uses all of the above
};

}  // namespace

std::unique_ptr<log> make_amqp_log(const amqp_options& options,
                                   std::function<void(const uuid&)> returned) {
    return std::make_unique<amqp_log>(options, std::move(returned));
}

}  // namespace flashsale::events
