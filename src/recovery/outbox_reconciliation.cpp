#include "outbox_reconciliation.hpp"

#include <algorithm>

namespace flashsale::recovery {

namespace {

constexpr std::chrono::seconds send_again_after{2};
constexpr unsigned doublings_max = 5;

}  // namespace

void outbox_reconciliation::note(std::vector<uuid> entries, const uuid& barrier) {
    if (entries.empty()) return;
    noted_ = std::move(entries);
    barrier_ = barrier;
    times_sent_ = 0;
    step_ = step::send_barrier;
}

void outbox_reconciliation::barrier_sent(deadline now) {
    if (times_sent_++ == 0) first_sent_ = now;
    last_sent_ = now;
    step_ = step::await_barrier;
}

bool outbox_reconciliation::barrier_due_again(deadline now) const {
    if (step_ != step::await_barrier) return false;
    return now - last_sent_ >= send_again_after * (1u << std::min(times_sent_ - 1, doublings_max));
}

void outbox_reconciliation::barrier_seen(bool recorded) {
    if (recorded) step_ = step::look_again;
}

void outbox_reconciliation::looked_again() {
    noted_.clear();
    step_ = step::note;
}

std::optional<std::chrono::milliseconds> outbox_reconciliation::overdue(deadline now) const {
    if (step_ != step::await_barrier || now - first_sent_ < patience_) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - first_sent_);
}

}  // namespace flashsale::recovery
