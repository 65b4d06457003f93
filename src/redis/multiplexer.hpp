#pragma once

// Many commands on one connection, without I/O.
//
// Redis answers in the order of the commands, so the FIFO `pending_` alone says whose a reply is.
// Commands are encoded into one buffer, which begin_write() hands out whole; what is added until
// end_write() gathers in the next one. So every write carries all that waited.
//
// A command that ran out of time keeps its place: its caller is answered, and its reply, should it
// come, is swallowed. Deadlines are handed out in order, so what was abandoned is always a prefix
// of the FIFO, and `abandoned_` counts it.
//
// When the connection ends, what had been handed out for writing may have reached the server
// (outcome_unknown); what was still gathering certainly has not (unavailable).
//
// EVALSHA and EVAL differ only before the number of keys. A script's pending entry shares the
// buffer that it was written from, so that NOSCRIPT, which means that nothing was executed, is
// answered by the script's text and the same tail again, with no copy kept for it.

#include <flashsale/redis.hpp>

#include <deque>
#include <memory>
#include <optional>

#include "reply_reader.hpp"

namespace flashsale::redis {

/// A finished command: call `done` with `outcome`.
struct completion {
    callback<result> done;
    result outcome;
};

class multiplexer {
public:
    explicit multiplexer(std::size_t pending_max) : pending_max_(pending_max) {}

    bool full() const { return pending_.size() >= pending_max_; }
    bool idle() const { return pending_.empty(); }

    /// Require !full(). `expires` must not be earlier than that of the command before.
    void add_command(std::span<const std::string_view> arguments, deadline expires,
                     callback<result> done);
    void add_script(const script& what, std::span<const std::string_view> keys,
                    std::span<const std::string_view> arguments, deadline expires,
                    callback<result> done);

    bool wants_write() const { return unwritten_ > 0 && !writing_; }
    /// All that waits; the bytes stay where they are for as long as the pointer is held.
    std::shared_ptr<const std::string> begin_write();
    void end_write();

    void feed(std::string_view bytes) { reader_.feed(bytes); }
    /// The next command that the bytes fed so far have finished.
    std::optional<completion> next();
    /// Why the bytes made no sense; empty while they do.
    const std::string& fault() const { return reader_.fault().empty() ? fault_ : reader_.fault(); }

    /// When the first command still waited for runs out of time.
    std::optional<deadline> first_deadline() const;
    /// Gives up one command whose time is over.
    std::optional<completion> abandon_expired(deadline now);
    /// Commands given up whose replies are still to be swallowed.
    std::size_t abandoned() const { return abandoned_; }

    /// The connection has ended: call until empty, then reset() before the next one.
    std::optional<completion> fail_next(std::string_view reason);
    void reset();

private:
    struct entry {
        callback<result> done;
        deadline expires;
        const script* resendable = nullptr;
        std::shared_ptr<const std::string> sent;
        std::size_t tail_at = 0;
        std::size_t tail_size = 0;
        std::size_t arguments = 0;
    };

    std::string& gathering();
    void resend(entry head);

    std::size_t pending_max_;
    std::deque<entry> pending_;
    std::size_t abandoned_ = 0;  ///< the first so many of pending_
    std::size_t unwritten_ = 0;  ///< the last so many of pending_
    std::shared_ptr<std::string> gathering_;
    std::shared_ptr<std::string> writing_;
    std::vector<std::shared_ptr<std::string>> buffers_;  ///< all in use, and some to be used again
    reply_reader reader_;
    std::string fault_;
};

}  // namespace flashsale::redis
