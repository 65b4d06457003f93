#pragma once

// The port to whatever makes events durable and hands them to the recorder.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/events/event.hpp"

namespace flashsale::events {

enum class outcome {
    durable,   ///< on disk where the recorder will find it
    returned,  ///< it is not in the log, which takes no events of its token
    refused,   ///< it is not in the log
    unknown,   ///< it may be in the log, now or later
};

struct confirmation {
    std::uint64_t ticket = 0;  ///< the caller's
    outcome what = outcome::unknown;
};

enum class log_state { down, blocked, up };

class log {
public:
    virtual ~log() = default;

    /// One worker's way into the log.
    class producer {
    public:
        virtual ~producer() = default;

        /// Hands over one complete event, and the token of the gate that has granted it. False: too
        /// many are waiting already, nothing was taken. Only on the worker's thread.
        virtual bool append(std::string event, const uuid& token, std::uint64_t ticket) = 0;

        /// Sends what was appended on its way, together as far as it can. What is appended needs a
        /// flush: it may wait for ever without.
        virtual void flush() = 0;
    };

    /// `confirmed` is called on `reply_on`'s thread, once for each event appended, many at a time.
    /// The producer must outlive neither the log nor the worker; calls may still come, and are
    /// dropped, after it is gone.
    virtual std::unique_ptr<producer> open_producer(
        asio::io_context& reply_on,
        std::function<void(std::span<const confirmation>)> confirmed) = 0;

    /// Whether an append now has a chance. Any thread, cheap.
    virtual log_state state() const = 0;
    /// Why not, for people. Any thread.
    virtual std::string fault() const = 0;
    /// How many events the workers have handed over since the start. Any thread, cheap.
    virtual std::uint64_t appended() const = 0;

    /// Makes sure that what the reader reads is there: it may have gone with the log's data, while
    /// all connections stand. Blocking; any thread; an error's text is for people.
    virtual std::expected<void, std::string> prepare() { return {}; }

    // --- the fence: for the rebuild alone (src/recovery/rebuild_plan.hpp) ---
    // Blocking; any thread; an error's text is for people. What takes events of every token, and
    // so has no fence, does nothing.

    /// Events of this token are taken from here on.
    virtual std::expected<void, std::string> bind(const uuid& /*token*/) { return {}; }
    /// Events of these are not any more, whatever process publishes them: what is published after
    /// this has returned comes back.
    virtual std::expected<void, std::string> unbind(std::span<const uuid> /*tokens*/) { return {}; }
    /// That this is so, by trying. An error names a token whose events something still takes.
    virtual std::expected<void, std::string> prove_unbound(std::span<const uuid> /*tokens*/) {
        return {};
    }

    virtual void start() = 0;
    /// Appends what waits, for at most `patience`; what is left ends as unknown.
    virtual void stop(std::chrono::milliseconds patience) = 0;
};

/// Something in the log that is not an event: kept with why.
struct poison {
    std::string text;
    std::string reason;
};

using entry = std::expected<event, poison>;

/// The recorder's way out of the log: one order of events, each delivered until acknowledged. Used
/// by one thread; `interrupt`, `state` and `fault` by any.
class reader {
public:
    virtual ~reader() = default;

    struct batch {
        std::vector<entry> entries;
        std::uint64_t position = 0;  ///< for acknowledge()
        bool empty() const { return entries.empty(); }
    };

    /// Waits up to `patience` for the first event, then returns what has gathered. Empty: nothing
    /// came. An error says why there is no log; the caller waits a little and calls again.
    virtual std::expected<batch, std::string> next(std::chrono::milliseconds patience) = 0;

    /// Everything up to and including the batch at `position` is recorded. If this fails, it comes
    /// again.
    virtual void acknowledge(std::uint64_t position) = 0;

    /// Call while a batch is held through a long wait. False: what was held will come again, and
    /// its position is void.
    virtual bool keep_alive() = 0;

    /// After close(): whether another process's reader is given the events now. Blocking; an
    /// error's text is for people.
    virtual std::expected<bool, std::string> is_read() { return false; }

    virtual log_state state() const = 0;
    virtual std::string fault() const = 0;
    virtual void interrupt() = 0;
    /// What was not acknowledged goes back in its order. next() opens it again.
    virtual void close() = 0;
};

}  // namespace flashsale::events
