#pragma once

// What the gates say of the backlog, for the recorder, which waits for none of their answers.

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <mutex>
#include <vector>

#include <flashsale/stock/gate_outbox.hpp>

#include "backlog_age.hpp"

namespace flashsale::order {

/// The recorder's thread, but for the answers, which come on `io`'s.
class backlog_watch {
public:
    backlog_watch(asio::io_context& io, stock::outbox_backlog& outbox, std::uint32_t shards);

    /// Asks every shard, unless it was asked a moment ago. `recorded`: events, by this process
    /// since it reads the log; for a gate that does not count what it grants.
    void look(std::uint64_t recorded);

    struct backlog {
        std::chrono::milliseconds age{0};  ///< of the oldest event, at most
        std::uint64_t events = 0;          ///< of the shard that has most
    };
    /// nullopt: not known, or not lately.
    std::optional<backlog> read() const;

    /// Whether events were recorded since set_mark(), by any process.
    void set_mark();
    bool recorded_since_mark() const;

    /// What was seen is of no use any more.
    void forget();

private:
    using clock = std::chrono::steady_clock;

    void ask(clock::time_point asked, std::uint64_t recorded);

    struct shard {
        backlog_age age;
        std::uint64_t marked_generation = 0, marked_recorded = 0;
        bool marked = false;
    };

    asio::io_context& io_;
    stock::outbox_backlog& outbox_;
    clock::time_point asked_at_{};
    std::atomic<int> unanswered_{0};
    mutable std::mutex mutex_;
    std::vector<shard> shards_;  // under mutex_
};

}  // namespace flashsale::order
