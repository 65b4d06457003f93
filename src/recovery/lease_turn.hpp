#pragma once

// Whose turn it is to look after a shard; no I/O.
//
// The lease of a shard is one process's for as long as it lives. If that one cannot do the work
// (it does not reach the gate's server, the log or the order database, or its rebuilds fail),
// the shard waits for it, though others could: a gate that is closed stays closed. So after
// `patience` it lets the lease go. It is off then until it can reach them again, or for a while
// where that is not what failed; but if for `patience` no process takes the lease, there is
// no other, and it takes it again. Letting go is never in the middle of anything: between two
// passes, when the rebuild has ended. What it published before ends as that of a process that
// died would.
//
// While nothing gets better it lets go ever more rarely: `patience` and the time off double, up to
// `longest` times the first.

#include <algorithm>
#include <chrono>
#include <optional>

namespace flashsale::recovery {

class lease_turn {
public:
    using time = std::chrono::steady_clock::time_point;
    using duration = std::chrono::milliseconds;

    static constexpr int longest = 4;

    /// 0: it never lets go.
    explicit lease_turn(duration patience)
        : first_(patience), patience_(patience), off_(patience * 2) {}

    /// A pass that began then could not do its work. True: let go.
    bool failed(time began, time now) {
        if (!failing_since_) failing_since_ = began;
        return first_.count() > 0 && now - *failing_since_ >= patience_;
    }
    void worked() {
        failing_since_.reset();
        patience_ = first_;
        off_ = first_ * 2;
    }
    /// It is another's; what comes after that is a turn of its own.
    void lost() { failing_since_.reset(); }

    void let_go(time now) {
        failing_since_.reset();
        free_since_.reset();
        off_until_ = now + off_;
        patience_ = std::min(patience_ * 2, first_ * longest);
        off_ = std::min(off_ * 2, first_ * longest);
    }

    bool is_off() const { return off_until_.has_value(); }

    /// While it is off. `able`: what failed works again, as far as can be seen. `leased`: to
    /// another, now.
    bool may_return(time now, bool able, bool leased) {
        if (leased) {
            free_since_.reset();
        } else if (!free_since_) {
            free_since_ = now;
        }
        return able || now >= *off_until_ || (free_since_ && now - *free_since_ >= first_);
    }
    void returned() { off_until_.reset(); }

private:
    duration first_, patience_, off_;
    std::optional<time> failing_since_;
    std::optional<time> off_until_;
    std::optional<time> free_since_;
};

}  // namespace flashsale::recovery
