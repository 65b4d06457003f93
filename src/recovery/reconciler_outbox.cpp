// What a pass of the reconciler does about events that no recorder has seen: one step of
// outbox_reconciliation.hpp, as far as the gate, the log and the order database let it.

#include <spdlog/spdlog.h>

#include "metrics.hpp"
#include "reconciler.hpp"

namespace flashsale::recovery {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t events_per_question = 500;
constexpr auto publish_patience = 5s;

}  // namespace

void reconciler::reconcile_outbox(shard& of) {
    using enum outbox_reconciliation::step;
    const deadline at = now();
    switch (of.outbox.next()) {
        case note:
            note_outbox(of);
            if (of.outbox.next() == send_barrier) this->send_barrier(of);
            break;
        case send_barrier:
            this->send_barrier(of);
            break;
        case await_barrier: {
            const auto recorded = uses_.order_database.barrier_recorded(of.outbox.barrier());
            if (!recorded) return cannot(of, recorded.error());
            of.outbox.barrier_seen(*recorded);
            if (of.outbox.barrier_due_again(at)) this->send_barrier(of);
            break;
        }
        case look_again:
            this->look_again(of);
            break;
    }
    const auto overdue = of.outbox.overdue(at);
    metrics::reconcile_barrier_overdue_ms.set(overdue.value_or(0ms).count());
    if (overdue) {
        of.fault = "accepted orders are not being recorded: a barrier is out for " +
                   std::to_string(overdue->count()) + " ms";
    }
}

void reconciler::note_outbox(shard& of) {
    std::vector<uuid> entries;
    do {
        auto page = wait_for<std::expected<stock::gate::outbox_page, stock::errc>>([&](auto done) {
            uses_.gate.read_outbox(of.number, of.outbox_cursor, std::move(done));
        });
        if (!page) return;
        for (const std::string& event : page->events) {
            if (const auto id = events::id_of(event)) entries.push_back(*id);
        }
        of.outbox_cursor = std::move(page->next_cursor);
    } while (!of.outbox_cursor.empty() && entries.size() < with_.reconcile_events_max);
    of.outbox.note(std::move(entries), uses_.make_id(of.number));
}

// A barrier that is not confirmed, or is not recorded, may have been published to a queue that
// is not there any more: it is declared again before the next attempt, and at each one after a
// first that failed. To declare it before every barrier would be a connection a second for nothing.
void reconciler::send_barrier(shard& of) {
    if (of.outbox.next() == outbox_reconciliation::step::await_barrier) {
        if (const auto done = uses_.log.prepare(); !done) return warn(of, done.error());
        rebind(of);
    }
    events::barrier barrier;
    barrier.id = of.outbox.barrier();
    barrier.shard = of.number;
    barrier.epoch = of.epoch;
    barrier.created_at = barrier.id.time();
    const auto sent =
        uses_.publisher.publish({events::text_of(barrier)}, of.token, publish_patience);
    if (!sent) {
        warn(of, sent.error());
        if (uses_.log.state() == events::log_state::up) (void)uses_.log.prepare();
        rebind(of);
        return;
    }
    metrics::reconcile_barriers.add();
    of.outbox.barrier_sent(now());
}

void reconciler::look_again(shard& of) {
    const auto& noted = of.outbox.noted();
    std::size_t published = 0;
    for (std::size_t begin = 0; begin < noted.size(); begin += events_per_question) {
        const auto end = std::min(begin + events_per_question, noted.size());
        std::vector<uuid> ids(noted.begin() + static_cast<std::ptrdiff_t>(begin),
                              noted.begin() + static_cast<std::ptrdiff_t>(end));
        auto found = wait_for<std::expected<stock::gate::found_events, stock::errc>>(
            [&](auto done) { uses_.gate.find_events(of.number, std::move(ids), std::move(done)); });
        if (!found) break;  // what is left is noted again
        std::vector<std::string> unpruned;
        for (auto& event : *found) {
            if (event) unpruned.push_back(std::move(*event));
        }
        if (unpruned.empty()) continue;
        published += unpruned.size();
        if (const auto sent =
                uses_.publisher.publish(std::move(unpruned), of.token, publish_patience);
            !sent) {
            warn(of, sent.error());
            break;
        }
    }
    if (published > 0) {
        metrics::reconcile_published.add(static_cast<std::int64_t>(published));
        spdlog::info("reconciler: published {} events of shard {} again that were not recorded",
                     published, of.number);
    }
    of.outbox.looked_again();
}

}  // namespace flashsale::recovery
