#pragma once

#include <catch2/catch.hpp>
#include <flashsale/amqp.hpp>

#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <random>

namespace flashsale::amqp::test {

inline options settings() {
    const char* url = std::getenv("FLASHSALE_AMQP__URL");
    if (!url || !*url)
        FAIL(
            "FLASHSALE_AMQP__URL is not set: run script/test, or start the servers: "
            "script/stack up, then eval \"$(script/stack env)\"");
    return {.url = url, .connection_name = "contract test"};
}

/// Names that were never used: a quorum queue's name is not to be used again.
inline topology fresh_names() {
    std::random_device random;
    const std::string suffix = std::to_string(random()) + std::to_string(random());
    return {.exchange = "test.events." + suffix,
            .queue = "test.recorder." + suffix,
            .binding_key = "order.placed",
            .dead_letter_exchange = "test.dead." + suffix,
            .dead_letter_queue = "test.parked." + suffix};
}

/// A publisher that sends what is put into it, and notes what became of each.
class outgoing {
public:
    outgoing(options chosen, topology names, publisher::limits bounds = {})
        : publisher_(
              std::move(chosen), std::move(names), bounds, [this](message& m) { return next(m); },
              [this](std::uint64_t tag, outcome what) { done(tag, what); }) {
        publisher_.start();
    }

    publisher* operator->() { return &publisher_; }

    /// Returns the tag: 0, 1, 2 …
    std::uint64_t put(std::string body, std::string routing_key = "order.placed") {
        std::uint64_t tag = 0;
        {
            const std::lock_guard lock(mutex_);
            tag = next_tag_++;
            waiting_.push_back({std::move(routing_key), std::move(body), tag});
        }
        publisher_.wake();
        return tag;
    }

    /// Not yet taken by the publisher.
    std::size_t waiting() const {
        const std::lock_guard lock(mutex_);
        return waiting_.size();
    }

    /// How many ended so.
    std::size_t count(outcome what) const {
        const std::lock_guard lock(mutex_);
        std::size_t found = 0;
        for (const auto& [tag, ends] : ended_) {
            for (const auto one : ends)
                found += one == what;
        }
        return found;
    }

    std::vector<outcome> ends_of(std::uint64_t tag) const {
        const std::lock_guard lock(mutex_);
        const auto found = ended_.find(tag);
        return found == ended_.end() ? std::vector<outcome>{} : found->second;
    }

    /// Every message that was taken has ended, and none twice.
    bool settled_once() const {
        const std::lock_guard lock(mutex_);
        if (ended_.size() + waiting_.size() != next_tag_) return false;
        for (const auto& [tag, ends] : ended_) {
            if (ends.size() != 1) return false;
        }
        return true;
    }

private:
    bool next(message& m) {
        const std::lock_guard lock(mutex_);
        if (waiting_.empty()) return false;
        m = std::move(waiting_.front());
        waiting_.pop_front();
        return true;
    }

    void done(std::uint64_t tag, outcome what) {
        const std::lock_guard lock(mutex_);
        ended_[tag].push_back(what);
    }

    mutable std::mutex mutex_;
    std::deque<message> waiting_;
    std::map<std::uint64_t, std::vector<outcome>> ended_;
    std::uint64_t next_tag_ = 0;
    publisher publisher_;  // last: its thread uses the rest
};

/// Receives until so many came, or a minute passed.
inline std::vector<delivery> receive(consumer& from, std::size_t messages) {
    using namespace std::chrono_literals;
    const auto give_up = std::chrono::steady_clock::now() + 60s;
    std::vector<delivery> all;
    while (all.size() < messages && std::chrono::steady_clock::now() < give_up) {
        auto some = from.receive(messages - all.size(), 100ms);
        if (!some) continue;
        for (auto& one : *some)
            all.push_back(std::move(one));
    }
    return all;
}

inline std::vector<std::string> bodies(const std::vector<delivery>& deliveries) {
    std::vector<std::string> all;
    for (const auto& one : deliveries)
        all.push_back(one.body);
    return all;
}

inline std::vector<std::string> numbers(int first, int last) {
    std::vector<std::string> all;
    for (int i = first; i <= last; ++i)
        all.push_back(std::to_string(i));
    return all;
}

}  // namespace flashsale::amqp::test
