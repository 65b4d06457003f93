// From the log to the databases. THE ORDER PATH: a mistake here loses or doubles an order.
//
//   next()         a batch: what has gathered while the last one was written
//   order database one transaction: orders, each once by id; what cannot be an order is parked
//   stock database one transaction: the movements of all of them, each once by id
//   barriers       go into the order database last: one that is there says that all before it is
//   acknowledge    only now; a death anywhere above brings the whole batch again, and nothing of it
//                  counts twice
//   prune         the outbox entries of the whole batch, duplicates included; one that stays is
//                  published again some day, and comes here as a duplicate
//
// An event older than its shard's fence is not recorded but set aside (late_event.hpp). Both
// databases look at their fence in the transaction that writes, and hold it: so however long this
// process slept with a batch in hand, it writes before the record is read for a new gate, or not.
//
// While orders keep coming, it rests between batches and leaves the machine to them
// (recorder_pacing.hpp). Larger batches cost less for each order, and what is left is written when
// fewer orders come. How far it may fall behind is measured by what the gates count
// (backlog_age.hpp).
//
// A failure of a database is waited out with the batch in hand, for a few seconds. Then another
// process may have its turn (recorder_turn.hpp): the way to the log is closed, and the log gives
// all that was in hand to the next, in its old order. Single messages are never given back: a
// quorum queue would hand later ones to the next consumer first, and the order of events is what
// barriers rely on.

#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>

#include <condition_variable>
#include <future>
#include <random>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/base/must_hold.hpp>
#include <flashsale/base/thread_name.hpp>
#include <flashsale/events/log.hpp>
#include <flashsale/order/module.hpp>
#include <flashsale/order/recovery.hpp>
#include <flashsale/stock.hpp>

#include "backlog_watch.hpp"
#include "metrics.hpp"
#include "outbox_pruner.hpp"
#include "recorder_pacing.hpp"
#include "recorder_turn.hpp"
#include "set_aside/parking.hpp"
#include "sorted_batch.hpp"

namespace flashsale::order {

namespace {

using namespace std::chrono_literals;

constexpr auto receive_patience = 200ms;
constexpr auto retry_wait_min = 50ms;
constexpr auto retry_wait_max = 2'000ms;
constexpr auto keep_alive_interval = 1'000ms;
constexpr auto off_look_interval = 1'000ms;
/// While others keep selling the queue is never empty; what is left is theirs to record.
constexpr std::chrono::milliseconds drain_share_max{2'000};
constexpr std::chrono::milliseconds prune_share_max{1'000};

}  // namespace

struct recorder::impl {
    explicit impl(const dependencies& given)
        : uses(given),
          pruner(given.io, given.outbox),
          watch(given.io, given.outbox, given.shards),
          turn(faults::without(faults::guard::stepping_aside) ? 0ms : given.step_aside_after),
          pacing(given.pacing) {
        if (uses.board) uses.board->set("recorder", std::nullopt);
    }

    void run() {
        while (!stopping) {
            const bool last_look = draining;
            if (turn.is_off()) {
                if (last_look) return finished();
                stand_aside();
                continue;
            }
            if (uses.log_changes) {
                const std::uint64_t changes = uses.log_changes();
                if (std::exchange(log_changes, changes) != changes) uses.log.close();
            }
            auto batch = uses.log.next(receive_patience);
            if (last_look && batch && batch->empty()) return finished();
            if (!batch) {
                set_fault("log: " + batch.error());
                wait(retry_wait_min * 4);
                continue;
            }
            if (batch->empty() && batch->position == 0) {
                set_fault(std::nullopt);
                continue;
            }
            if (uses.arrivals) watch.look(recorded_events);
            const auto began = std::chrono::steady_clock::now();
            const std::uint64_t position = batch->position;
            const sorted_batch sorted(std::move(batch->entries));
            id_set late;
            faults::pass(faults::place::after_deliver);
            if (faults::without(faults::guard::ack_after_commit)) uses.log.acknowledge(position);
            if (!patiently([&] { return record(sorted, late); })) continue;
            faults::pass(faults::place::before_ack);
            uses.log.acknowledge(position);
            faults::pass(faults::place::before_prune);
            prune(sorted, late);
            if (too_slow) {
                step_aside("a batch took " + std::to_string(ms_since(began).count()) + " ms");
            } else {
                note_holds(sorted);
                rest(std::chrono::steady_clock::now() - began);
            }
        }
        finished();
    }

    void note_holds(const sorted_batch& batch) {
        std::uint32_t shortest = std::numeric_limits<std::uint32_t>::max();
        for (const events::order_accepted& one : batch.orders)
            if (one.payment_window_s != 0) shortest = std::min(shortest, one.payment_window_s);
        if (shortest != std::numeric_limits<std::uint32_t>::max())
            pacing.held(std::chrono::steady_clock::now(), std::chrono::seconds{shortest});
    }

    void rest(std::chrono::steady_clock::duration took) {
        if (!uses.arrivals) return;
        pacing.batch_done(std::chrono::steady_clock::now(), took, uses.arrivals());
        while (!stopping && !draining) {
            const auto known =
                faults::without(faults::guard::pace) ? std::optional(backlog{}) : watch.read();
            const auto pause = pacing.rest(std::chrono::steady_clock::now(), known);
            if (!pause) return;
            wait(*pause);
            watch.look(recorded_events);
            pacing.arrived(uses.arrivals());
        }
    }

    /// Another process may have its turn.
    void step_aside(const std::string& why) {
        spdlog::warn("recorder: {}: it lets another process have its turn", why);
        metrics::asides.add();
        uses.log.close();
        turn.let_go(std::chrono::steady_clock::now());
        watch.set_mark();
        watch.look(recorded_events);
        reason = why;
        set_fault(why);
    }

    /// One look at whether to come back, and the wait before it.
    void stand_aside() {
        wait(jittered(off_look_interval));
        if (stopping || draining) return;
        watch.look(recorded_events);
        const auto able = uses.able ? uses.able() : std::expected<void, std::string>{};
        const auto read = uses.log.is_read();
        if (!able) reason = able.error();
        if (turn.may_return(std::chrono::steady_clock::now(), able.has_value(),
                            read ? std::optional(*read) : std::nullopt)) {
            turn.returned();
            watch.forget();
            set_fault(std::nullopt);
            return spdlog::info("recorder: it waits for its turn again");
        }
        // Without proof that another does record, the fault may be that of all processes, and
        // orders go on.
        const bool alone = read && *read && watch.recorded_since_mark();
        set_fault(alone ? reason + "; another process records in its place" : reason, alone);
    }

    void finished() {
        {
            const std::lock_guard lock(mutex);
            ended = true;
        }
        stopped.notify_all();
    }

    /// Until it is done. False: the batch is no longer ours, or we are stopping.
    template <class Attempt>
    bool patiently(Attempt attempt) {
        auto pause = retry_wait_min;
        while (true) {
            const auto began = std::chrono::steady_clock::now();
            std::expected<void, std::string> done = attempt();
            const auto now = std::chrono::steady_clock::now();
            if (done) {
                too_slow = turn.recorded(began, now);
                set_fault(std::nullopt);
                return true;
            }
            metrics::retries.add();
            set_fault(done.error());
            bool let_go = turn.failed(began, now);
            if (pause == retry_wait_min) spdlog::warn("not recorded yet: {}", done.error());
            const auto until = std::chrono::steady_clock::now() + jittered(pause);
            while (!let_go && std::chrono::steady_clock::now() < until) {
                wait(std::min<std::chrono::milliseconds>(
                    keep_alive_interval, std::chrono::ceil<std::chrono::milliseconds>(
                                             until - std::chrono::steady_clock::now())));
                if (stopping) return false;
                if (!uses.log.keep_alive()) {
                    turn.lost();
                    return false;
                }
                let_go = turn.must_let_go(std::chrono::steady_clock::now());
            }
            if (let_go) {
                step_aside(done.error());
                return false;
            }
            pause = std::min(pause * 2, retry_wait_max);
        }
    }

    /// `late`: what was set aside.
    std::expected<void, std::string> record(const sorted_batch& batch, id_set& late) {
        auto recorded = uses.database.record(batch.orders, batch.poison);
        if (!recorded) return std::unexpected(std::move(recorded.error()));
        must_hold(recorded->fresh + recorded->duplicates + recorded->parked.size() +
                          recorded->late.size() ==
                      batch.orders.size(),
                  "each order of a batch is recorded, known, parked or late");
        late = id_set(recorded->late.begin(), recorded->late.end());
        const id_set parked(recorded->parked.begin(), recorded->parked.end());
        std::vector<stock::movement> movements;
        batch.for_each_allocation([&](const auto& one) {
            if (!parked.contains(one.id) && !late.contains(one.id))
                movements.push_back(movement_of(one));
        });
        faults::pass(faults::place::between_databases);
        auto refused = uses.ledger.record(movements);
        if (!refused) return std::unexpected("stock database: " + refused.error());
        must_hold(refused->size() <= movements.size(), "the ledger refuses what it was given");

        std::vector<parking> to_park;
        std::vector<events::event> late_reductions;
        std::vector<uuid> given_back;
        for (const stock::refused_movement& one : *refused) {
            const events::event of = batch.find(one.of.order_id);
            if (one.late) {
                late.insert(one.of.order_id);
                late_reductions.push_back(of);
            } else if (one.given_back) {
                given_back.push_back(one.of.order_id);
            } else {
                to_park.push_back(parking_of(of, "movement refused: " + one.reason));
            }
        }
        if (auto done = uses.database.keep_late(late_reductions); !done) return done;
        if (auto done = uses.database.park(to_park); !done) return done;
        if (auto done = uses.database.take_back(given_back); !done) return done;
        // Last: a barrier that is there says that all before it is.
        if (auto done = uses.database.record_barriers(batch.barriers); !done) return done;

        metrics::recorded.add(std::ssize(movements) - std::ssize(late_reductions));
        recorded_events += movements.size();
        metrics::duplicates.add(static_cast<std::int64_t>(recorded->duplicates));
        metrics::late.add(std::ssize(late));
        metrics::barriers.add(std::ssize(batch.barriers));
        metrics::batches.add();
        if (!movements.empty()) {
            // By the gates' count where they are asked; else the events are this process's own.
            const auto known = watch.read();
            const auto age = wall_clock_now() - movements.front().created_at;
            metrics::lag_ms.set(
                known ? known->age.count()
                      : std::chrono::duration_cast<std::chrono::milliseconds>(age).count());
        }
        return {};
    }

    void prune(const sorted_batch& batch, const id_set& late) {
        std::vector<stock::recorded_event> outbox;
        outbox.reserve(batch.orders.size() + batch.reductions.size());
        batch.for_each_allocation([&](const events::event_base& one) {
            if (!late.contains(one.id)) outbox.push_back({one.id, one.shard, one.epoch});
        });
        if (outbox.empty()) return;
        asio::post(uses.io, [this, outbox = std::move(outbox)]() mutable {
            pruner.prune(std::move(outbox));
        });
    }

    /// Gives the last removals the time to be sent and answered. The caller's thread.
    void prune_for(std::chrono::milliseconds patience) {
        const auto until = std::chrono::steady_clock::now() + std::min(patience, prune_share_max);
        bool at_rest = false;
        while (!at_rest && std::chrono::steady_clock::now() < until) {
            std::promise<bool> answer;
            asio::post(uses.io, [&] { answer.set_value(pruner.at_rest()); });
            at_rest = answer.get_future().get();
            if (!at_rest) std::this_thread::sleep_for(5ms);
        }
    }

    std::chrono::milliseconds jittered(std::chrono::milliseconds most) {
        std::uniform_int_distribution<std::int64_t> spread(most.count() / 2, most.count());
        return std::chrono::milliseconds{spread(random)};
    }

    void wait(std::chrono::milliseconds most) {
        std::unique_lock lock(mutex);
        stopped.wait_for(lock, most, [this] { return stopping.load(); });
    }

    static std::chrono::milliseconds ms_since(std::chrono::steady_clock::time_point then) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - then);
    }

    void set_fault(std::optional<std::string> what, bool hinders_orders = false) {
        std::optional<known_fault> now;
        if (what) now = known_fault{std::move(*what), hinders_orders};
        if (!uses.board || now == fault) return;
        fault = now;
        uses.board->set("recorder", std::move(now));
    }

    dependencies uses;
    outbox_pruner pruner;  // touched on uses.io's thread alone
    backlog_watch watch;
    std::atomic<bool> stopping{false};
    std::atomic<bool> draining{false};
    mutable std::mutex mutex;
    std::condition_variable stopped;
    bool ended = false;  // under mutex
    std::minstd_rand random{std::random_device{}()};
    // --- recorder's thread ---
    recorder_turn turn;
    recorder_pacing pacing;
    bool too_slow = false;              // the batch recorded last
    std::string reason;                 // of having let go
    std::optional<known_fault> fault;   // as on the board
    std::uint64_t log_changes = 0;      // as seen last
    std::uint64_t recorded_events = 0;  // since the start
    std::jthread thread;
};

recorder::recorder(const dependencies& uses) : impl_(std::make_unique<impl>(uses)) {}
recorder::~recorder() {
    stop(std::chrono::milliseconds{0});
}

void recorder::start() {
    impl_->thread = std::jthread([this] {
        name_this_thread("recorder");
        impl_->run();
    });
}

void recorder::stop(std::chrono::milliseconds patience) {
    if (!impl_->thread.joinable()) return;
    impl_->draining = true;
    {
        std::unique_lock lock(impl_->mutex);
        impl_->stopped.wait_for(lock,
                                std::min<std::chrono::milliseconds>(patience, drain_share_max),
                                [this] { return impl_->ended; });
        impl_->stopping = true;
    }
    impl_->stopped.notify_all();
    impl_->uses.log.interrupt();
    impl_->thread.join();
    impl_->uses.log.close();
    impl_->prune_for(patience);
}

}  // namespace flashsale::order
