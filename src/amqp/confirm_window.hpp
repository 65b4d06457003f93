#pragma once

// The messages in flight on one channel, without I/O.
//
// The broker numbers what a channel publishes 1, 2, 3 …; an ack or nack names one number, or with
// `multiple` all up to it, in any order. A message takes the next number and a slot; slots leave at
// the front, in order, once settled. So the window spans from the oldest unsettled message to the
// newest, which bounds it also when one confirm stays out. A returned message is acked like any
// other, after its return: the mark makes that ack `returned`.
//
// A message that was given up (its caller got `unknown`) keeps its slot until the broker speaks of
// it, since the number is taken.

#include <flashsale/amqp.hpp>

#include <deque>
#include <optional>

namespace flashsale::amqp {

class confirm_window {
public:
    using time_point = std::chrono::steady_clock::time_point;

    struct settled {
        std::uint64_t tag = 0;  ///< the caller's
        outcome what = outcome::unknown;
    };

    explicit confirm_window(std::size_t messages_max) : messages_max_(messages_max) {}

    bool full() const { return slots_.size() >= messages_max_; }
    bool empty() const { return slots_.empty(); }
    std::size_t size() const { return slots_.size(); }

    /// Requires !full(). Returns the number that the broker will give the message.
    std::uint64_t add(std::uint64_t tag, time_point now);

    /// The message with this number came back as unroutable; its ack follows. False: not ours.
    bool mark_returned(std::uint64_t number);

    /// Numbers outside the window are ignored. `multiple` with 0 means all.
    void ack(std::uint64_t number, bool multiple, std::vector<settled>& out);
    void nack(std::uint64_t number, bool multiple, std::vector<settled>& out);

    /// When the oldest message was published that its caller still waits for.
    std::optional<time_point> oldest() const;

    /// Settles as unknown what was published before `limit`; the slots stay taken.
    void give_up(time_point limit, std::vector<settled>& out);
    /// The broker still owes a word on a message that was given up.
    bool owed() const { return given_up_ > 0; }

    /// The channel is gone: all that was unsettled is unknown, and numbers begin at 1 again.
    void lose_all(std::vector<settled>& out);

private:
    struct slot {
        std::uint64_t tag;
        time_point published_at;
        bool returned = false;
        bool given_up = false;
        bool done = false;
    };

    slot* find(std::uint64_t number);
    void finish(std::uint64_t number, bool multiple, bool refused, std::vector<settled>& out);
    void finish_one(slot& one, bool refused, std::vector<settled>& out);

    std::size_t messages_max_;
    std::uint64_t first_ = 1;  ///< number of slots_.front()
    std::deque<slot> slots_;
    std::size_t given_up_ = 0;
};

}  // namespace flashsale::amqp
