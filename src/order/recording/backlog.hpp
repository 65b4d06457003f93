#pragma once

// What waits for its record at the gates of all shards, by what they say of it; no I/O.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "backlog_age.hpp"

namespace flashsale::order {

struct backlog {
    std::chrono::milliseconds age{0};  ///< of the oldest event, at most
    std::uint64_t events = 0;          ///< of the shard that has most
};

class backlog_of_shards {
public:
    using time = backlog_age::time;

    /// What a gate said so long ago says nothing of now.
    static constexpr std::chrono::milliseconds fresh_for{1'000};

    explicit backlog_of_shards(std::size_t shards) : shards_(shards) {}

    std::size_t shards() const { return shards_.size(); }

    /// The shard's gate, asked at `asked`, said this.
    void seen(std::size_t shard, time asked, std::uint64_t epoch, std::uint64_t granted,
              std::uint64_t waiting) {
        place& of = shards_[shard];
        of.age.seen(asked, epoch, granted, waiting);
        if (of.marked) return;
        of.marked = true;
        of.marked_epoch = of.age.epoch();
        of.marked_recorded = of.age.recorded();
    }

    /// nullopt: of a shard it is not known, or not lately.
    std::optional<backlog> at(time now) const {
        backlog out;
        for (const place& one : shards_) {
            const auto age = one.age.at(now);
            if (!age || now - *one.age.seen_at() > fresh_for) return std::nullopt;
            out.age = std::max(out.age, *age);
            out.events = std::max(out.events, one.age.waiting());
        }
        return out;
    }

    /// What each gate says next is what recorded_since_mark() compares with.
    void set_mark() {
        for (place& one : shards_)
            one.marked = false;
    }
    /// Whether events were recorded since, by any process.
    bool recorded_since_mark() const {
        return std::ranges::any_of(shards_, [](const place& one) {
            return one.marked && one.age.epoch() == one.marked_epoch &&
                   one.age.recorded() > one.marked_recorded;
        });
    }

    /// What was seen is of no use any more.
    void forget() {
        for (place& one : shards_)
            one.age = {};
    }

private:
    struct place {
        backlog_age age;
        std::uint64_t marked_epoch = 0, marked_recorded = 0;
        bool marked = false;
    };

    std::vector<place> shards_;
};

}  // namespace flashsale::order
