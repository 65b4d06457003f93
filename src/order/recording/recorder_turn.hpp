#pragma once

// Whose turn it is to record; no I/O.
//
// The log gives its events to one process at a time, in one order. If that one cannot write them
// (its databases refuse it, are silent, read-only, or take ages), all orders wait for it, though
// others could. So after `patience` it lets go, by closing its way to the log: that keeps the order
// of events. It cannot be known beforehand that another does better; to let go shows it. What that
// may cost is bounded: a process holds on for at least `patience`, twice as long each time until it
// has recorded something in less, at most patience_max; and each message counts one delivery for
// each time, of a million.
//
// A process that has let go stays off until its databases answer, and then until no process reads
// the log any more, or its time off has passed: while it cannot record it must not be the next.

#include <algorithm>
#include <chrono>
#include <optional>

namespace flashsale::order {

class recorder_turn {
public:
    using time = std::chrono::steady_clock::time_point;
    using duration = std::chrono::milliseconds;

    /// How many times longer than the first patience the longest is, and the longest time off.
    static constexpr int longest = 12;

    /// 0: it never lets go, because no other process could follow.
    explicit recorder_turn(duration patience)
        : first_(patience), patience_(patience), off_(patience) {}

    /// An attempt that began then has failed. True: let go.
    bool failed(time began, time now) {
        if (!failing_since_) failing_since_ = began;
        return must_let_go(now);
    }
    /// While it waits for the next attempt.
    bool must_let_go(time now) const {
        return first_.count() > 0 && failing_since_ && now - *failing_since_ >= patience_;
    }
    /// An attempt that began then has recorded its batch. True: it took so long that another may do
    /// better; let go.
    bool recorded(time began, time now) {
        failing_since_.reset();
        if (first_.count() == 0) return false;
        if (now - began >= patience_) return true;
        patience_ = off_ = first_;
        return false;
    }

    /// What could not be recorded is not ours any more: a later batch has its own patience.
    void lost() { failing_since_.reset(); }

    void let_go(time now) {
        off_until_ = now + off_;
        patience_ = std::min(patience_ * 2, first_ * longest);
        off_ = std::min(off_ * 2, first_ * longest);
    }

    bool is_off() const { return off_until_.has_value(); }

    /// Whether to read the log again. `able`: the databases answer. `is_read`: by any process, now;
    /// nullopt: the log does not answer.
    bool may_return(time now, bool able, std::optional<bool> is_read) const {
        return able && (now >= *off_until_ || is_read == false);
    }
    void returned() {
        off_until_.reset();
        failing_since_.reset();
    }

private:
    duration first_, patience_, off_;
    std::optional<time> failing_since_;
    std::optional<time> off_until_;
};

}  // namespace flashsale::order
