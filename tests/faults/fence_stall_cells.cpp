// The broker takes its time between routing a message and queueing it, while a gate that it is from
// is replaced. It was routed before the log was told to take nothing more of that gate; all that
// counts is whether it is counted.

#include "apart.hpp"
#include "stalled_leader.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// Not the default: a rebuild's first steps must fit into it several times.
constexpr auto confirm_deadline = 5s;
/// Where what is under way must be confirmed within it, however busy the machine.
constexpr auto long_confirm_deadline = 2 * confirm_deadline;
constexpr auto published = "amqp_published_total";

/// A process, cut off with its master, whose channel is fresh and whose first message, of many
/// orders, the queue's leader has not looked at; the channel of the other one the queue knows.
class stalled {
public:
    explicit stalled(world& w)
        : w_(w), replica_(follow(w, 20)), leader_(w.place().name() + ".recorder") {
        w.undo_later([replica = replica_] {});
        rebuilt_ = rebuilt_by(w, 1);
        fail_over(w, *replica_);
        grant_and_lose_the_log(w);
        // By now what the second had on its way is confirmed: else its next would wait for that.
        leader_.hold();
        w.fault();
        const auto sent = counter(w, 0, published);
        published_ = counter(w, 1, published);
        w.own().rabbitmq.open();
        w.until("a fresh channel's first message", [&] { return counter(w, 0, published) > sent; });
        published_at_ = steady::now();
    }

    /// The second finds the gate closed, and begins.
    void let_rebuild() { w_.redis().open(); }

    /// The barrier is behind it then, or rather before: it came on a channel that the queue knows,
    /// and waits for the leader.
    bool barrier_is_out() {
        return counter(w_, 1, published) > published_ && leader_.is_waited_for_by("barrier");
    }

    /// A message that the barrier has overtaken comes when the gate is open: else it would depend
    /// on the machine whether it is recorded before the fence is raised.
    void end() {
        if (counter(w_, 1, published) > published_) {
            leader_.release_but_first_messages();
        } else {
            leader_.release();
        }
        w_.until("another gate", [&] { return rebuilt_by(w_, 1) > rebuilt_; });
        leader_.release();
    }

    steady::time_point published_at() const { return published_at_; }

private:
    world& w_;
    std::shared_ptr<second_redis> replica_;
    stalled_leader leader_;
    std::size_t rebuilt_ = 0;
    std::uint64_t published_ = 0;
    steady::time_point published_at_;
};

/// Within it what is confirmed counts, and must be before the barrier. Without the wait the barrier
/// is out long before.
void stall_within_the_deadline(world& w) {
    stalled queue(w);
    first_gate replaced(w);
    queue.let_rebuild();
    const auto latest = queue.published_at() + long_confirm_deadline * 3 / 4;
    w.until("three quarters of the deadline, or a barrier",
            [&] { return steady::now() > latest || queue.barrier_is_out(); });
    queue.end();
    {
        const no_reconciling yet(w);
        sell_out(w);
    }
    replaced.sell_from_both();
}

/// Those who wait are told, and ask again with their keys. The gate that they ask has the order in
/// its outbox, and its event is still under way: they wait for the same confirm.
void stall_beyond_the_deadline(world& w) {
    stalled queue(w);
    first_gate replaced(w);
    queue.let_rebuild();
    w.until("a barrier", [&] { return queue.barrier_is_out(); });
    w.until("the deadline of what is under way",
            [&] { return steady::now() > queue.published_at() + confirm_deadline * 5 / 4; });
    w.may_park();
    queue.end();
    {
        const no_reconciling yet(w);
        sell_out(w);
    }
    replaced.sell_from_both();
}

void suspend_during_a_stall(world& w) {
    stalled queue(w);
    first_gate replaced(w);
    const auto since = steady::now();
    w.kill(0, SIGSTOP);
    queue.let_rebuild();
    w.until("a barrier", [&] { return queue.barrier_is_out(); });
    w.may_park();
    queue.end();
    {
        const no_reconciling yet(w);
        w.wake_with_stopped_clock(since);
        sell_out(w);
    }
    replaced.sell_from_both();
}

}  // namespace

std::vector<cell> fence_stall_cells() {
    world_options apart = apart_options();
    const auto in_ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()); };
    apart.variables["FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS"] = in_ms(confirm_deadline);
    apart.variables["FLASHSALE_REDIS__REPLY_TIMEOUT_MS"] = "10000";
    // What comes back to the first process hurries its reconcile. Were it to overtake the second on
    // a busy machine, the barrier of a later epoch would be behind what was late for this one.
    apart.first_life["FLASHSALE_RECOVERY__LEASE_MS"] = "1000";
    apart.variables["FLASHSALE_RECOVERY__LEASE_MS"] = "15000";
    // Else a connection that is silent for so long is made anew, and what is under way unknown.
    apart.variables["FLASHSALE_AMQP__CONFIRM_TIMEOUT_MS"] = "30000";
    cell within{"a fresh channel's first message stalled, shorter than the deadline",
                stall_within_the_deadline, apart};
    within.options.variables["FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS"] =
        in_ms(long_confirm_deadline);
    within.options.patient = 0.8;
    cell beyond{"a fresh channel's first message stalled, longer than the deadline",
                stall_beyond_the_deadline, apart};
    cell repeated{"a repeat joins a publication under way, beyond the deadline of its start",
                  stall_beyond_the_deadline, apart};
    repeated.options.twins = 1;
    repeated.options.patient = 1;  // they wait until they are told, and then ask again
    cell suspended{"suspended while its first message is stalled", suspend_during_a_stall, apart};
    suspended.options.stopping_clock = true;
    // Who waits must be there still when it wakes, however busy the machine.
    suspended.options.patient = 0.8;
    suspended.options.answer_patience = 7s;
    return {within, beyond, repeated, suspended};
}

}  // namespace flashsale::test
