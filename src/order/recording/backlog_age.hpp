#pragma once

// How long the oldest event that a gate has granted has been waiting for its record; no I/O.
//
// Every process dates its events by its own clock, and none of those is to be trusted. But the gate
// counts: what it has granted, and what of that is still in its outbox. A process that looks from
// time to time knows when it had granted no more than so many, by its own clock. What is recorded
// by now says which of those looks was the last one before the oldest that waits was granted: it is
// no older than that look.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace flashsale::order {

class backlog_age {
public:
    using time = std::chrono::steady_clock::time_point;

    static constexpr std::size_t looks_max = 256;

    /// The gate of this epoch was asked at `asked`, and said this.
    void seen(time asked, std::uint64_t epoch, std::uint64_t granted, std::uint64_t waiting) {
        if (epoch_ != epoch) looks_.clear();
        epoch_ = epoch;
        waiting_ = waiting;
        recorded_ = granted - std::min(waiting, granted);
        seen_at_ = asked;
        if (!looks_.empty() && granted <= looks_.back().granted) {
            looks_.back().at = asked;
        } else {
            // Fewer looks make it older than it is, which is the harmless side.
            if (looks_.size() == looks_max) looks_.erase(looks_.begin() + 1);
            looks_.push_back({asked, granted});
        }
        while (looks_.size() > 1 && looks_[1].granted <= recorded_)
            looks_.pop_front();
    }

    /// At most so old; nullopt: nothing is known of when it was granted.
    std::optional<std::chrono::milliseconds> at(time now) const {
        if (!seen_at_) return std::nullopt;
        if (waiting_ == 0) return std::chrono::milliseconds{0};
        if (looks_.front().granted > recorded_) return std::nullopt;
        return std::chrono::duration_cast<std::chrono::milliseconds>(now - looks_.front().at);
    }

    std::optional<time> seen_at() const { return seen_at_; }
    std::uint64_t epoch() const { return epoch_; }
    std::uint64_t waiting() const { return waiting_; }
    std::uint64_t recorded() const { return recorded_; }

private:
    struct look {
        time at;
        std::uint64_t granted;
    };

    std::uint64_t epoch_ = 0, waiting_ = 0, recorded_ = 0;
    std::optional<time> seen_at_;
    std::deque<look> looks_;  // ascending
};

}  // namespace flashsale::order
