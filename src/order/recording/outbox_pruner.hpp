#pragma once

// Removes outbox entries that both databases have, and keeps at it.
//
// An entry that stays is harmless by itself, it would only be published once more; but entries that
// stay count against the outbox's limit, and the audit never comes to rest. So what could not be
// removed is kept and tried again. One removal is under way at a time, and what is recorded
// meanwhile gathers for the next. Beyond `unpruned_max` the oldest are let go, counted: the
// reconciler finds them.

#include <flashsale/base/async.hpp>
#include <flashsale/stock/gate_outbox.hpp>

#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <vector>

namespace flashsale::order {

/// Lives on the io_context's thread.
class outbox_pruner {
public:
    outbox_pruner(asio::io_context& io, stock::outbox_backlog& outbox);

    void prune(std::vector<stock::recorded_event> recorded);
    /// Nothing is left to remove.
    bool at_rest() const { return waiting_.empty() && !under_way_; }

private:
    void send();

    stock::outbox_backlog& outbox_;
    asio::steady_timer retry_;
    std::vector<stock::recorded_event> waiting_;
    bool under_way_ = false;
};

}  // namespace flashsale::order
