#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace flashsale {

/// Waits between attempts: none before the first, then from `floor` doubling to `cap`, each with
/// up to a half taken off at random, so that many clients of one dead server do not return at once.
class backoff {
public:
    using duration = std::chrono::milliseconds;

    backoff(duration floor, duration cap) : floor_(floor), cap_(cap) {}

    duration next() {
        const duration whole = next_;
        next_ = std::clamp(next_ * 2, floor_, cap_);
        return whole - duration{std::uniform_int_distribution<duration::rep>{
                           0, whole.count() / 2}(random_)};
    }

    void reset() { next_ = duration{0}; }

private:
    duration floor_;
    duration cap_;
    duration next_{0};
    std::minstd_rand random_{std::random_device{}()};
};

}  // namespace flashsale
