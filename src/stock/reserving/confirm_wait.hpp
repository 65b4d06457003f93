#pragma once

// Which requests wait for which event's confirm, and until when; no I/O.
//
// One entry for each event being published: a repeat of a key that finds its event under way joins
// the entry, so that no process publishes one event twice at a time. A waiter leaves when the
// confirm comes or its own deadline passes, whichever is first; the entry stays until the log has
// answered, which it does for every event exactly once. The clock is the caller's, so a confirm
// that was handled late is late, however early it arrived.
//
// A repeat that joins has no more time than the publication had when it began: a rebuild waits
// the confirm deadline from when the log has stopped to take an older gate's events, and what was
// routed before that may be confirmed until then, and counted no longer. The clock does not stop
// while the machine sleeps.

#include <flashsale/base/boot_clock.hpp>
#include <flashsale/base/uuid.hpp>
#include <flashsale/stock.hpp>

#include <functional>
#include <queue>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flashsale::stock {

class confirm_wait {
public:
    using answer = callback<std::expected<accepted, refusal>>;
    using moment = boot_clock::time_point;

    struct waiter {
        accepted what;
        answer done;
        moment until;  ///< at most the confirm deadline after it was asked for
    };

    /// Joins the entry of the event `id`, or makes one. The ticket to publish it under, or nullopt
    /// if it is being published already, in these same bytes and under this token: that an earlier
    /// gate's event of this id is confirmed says nothing of this one.
    std::optional<std::uint64_t> add(const uuid& id, std::string_view event, const uuid& token,
                                     waiter&& one);

    /// The log has answered. Calls every waiter of the entry.
    void confirmed(std::uint64_t ticket, bool durable, moment now);

    /// Answers outcome_unknown to waiters whose deadline has passed.
    void expire(moment now);

    std::size_t size() const { return by_ticket_.size(); }

private:
    struct entry {
        uuid id;
        std::size_t hash;  // of the event's bytes
        uuid token;
        moment until;  // of the request that has begun it
        std::vector<waiter> waiters;
    };

    std::uint64_t last_ticket_ = 0;
    std::unordered_map<std::uint64_t, entry> by_ticket_;
    std::unordered_map<uuid, std::uint64_t, uuid_hash> by_id_;
    // Those of one gate come nearly in order; with several, one may have kept its orders for long.
    using due = std::pair<moment, std::uint64_t>;
    std::priority_queue<due, std::vector<due>, std::greater<>> deadlines_;
};

}  // namespace flashsale::stock
