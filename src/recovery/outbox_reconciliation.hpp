#pragma once

// What the reconciler of one shard's outbox does next; no I/O.
//
// An entry leaves the outbox when the recorder has recorded its event. One that stays may be on its
// way, or its process may have died before publishing it, or the log may have lost it; its age
// tells nothing, since an honest backlog can be of any age. So the reconciler does not guess:
//
//   note          which entries are there now
//   send_barrier  an event that the log carries behind all that was published so far
//   await_barrier until the recorder has recorded it: then it has recorded all that was in the log
//   look_again    one pass later, when the recorder has had the time to remove entries: what was
//                 noted and is still there was not in the log before the barrier. It is published
//
// So nothing is published again because the log is slow, and a backlog is never made longer by its
// own length. What is published in vain all the same (by a process that was slower than the
// barrier) is recorded once.

#include <flashsale/base/time.hpp>
#include <flashsale/base/uuid.hpp>

#include <optional>
#include <vector>

namespace flashsale::recovery {

class outbox_reconciliation {
public:
    enum class step { note, send_barrier, await_barrier, look_again };

    /// `barrier_patience`: after that a barrier is called overdue.
    explicit outbox_reconciliation(std::chrono::milliseconds barrier_patience)
        : patience_(barrier_patience) {}

    step next() const { return step_; }
    const std::vector<uuid>& noted() const { return noted_; }
    const uuid& barrier() const { return barrier_; }

    /// What is in the outbox, or a part of it; the barrier that goes out after it.
    void note(std::vector<uuid> entries, const uuid& barrier);
    /// The log has, or may have, the barrier.
    void barrier_sent(deadline now);
    /// A barrier that is not confirmed, or long out, may be lost with the log's data: it goes out
    /// again, under the same id. What it proves was so when it went out first.
    bool barrier_due_again(deadline now) const;
    void barrier_seen(bool recorded);
    void looked_again();

    /// How long the barrier has been out, once that is too long.
    std::optional<std::chrono::milliseconds> overdue(deadline now) const;

private:
    std::chrono::milliseconds patience_;
    step step_ = step::note;
    std::vector<uuid> noted_;
    uuid barrier_;
    deadline first_sent_{}, last_sent_{};
    unsigned times_sent_ = 0;
};

}  // namespace flashsale::recovery
