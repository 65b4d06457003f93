#pragma once

// Asks the gates for the backlog, for the recorder, which waits for none of their answers.

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <mutex>

#include <flashsale/stock/gate_outbox.hpp>

#include "backlog.hpp"

namespace flashsale::order {

/// The recorder's thread, but for the answers, which come on `io`'s.
class backlog_watch {
public:
    backlog_watch(asio::io_context& io, stock::outbox_backlog& outbox, std::uint32_t shards);

    /// Asks every shard, unless it was asked a moment ago. `recorded`: events, by this process
    /// since it reads the log; for a gate that does not count what it grants.
    void look(std::uint64_t recorded);

    // As backlog_of_shards has them.
    std::optional<backlog> read() const;
    void set_mark();
    bool recorded_since_mark() const;
    void forget();

private:
    using clock = std::chrono::steady_clock;

    void ask(clock::time_point asked, std::uint64_t recorded);

    asio::io_context& io_;
    stock::outbox_backlog& outbox_;
    clock::time_point asked_at_{};
    std::atomic<int> unanswered_{0};
    mutable std::mutex mutex_;
    backlog_of_shards seen_;  // under mutex_
};

}  // namespace flashsale::order
