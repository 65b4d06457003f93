// What goes wrong in a run. A plan is drawn first, so that many runs lose one thing only, which is
// where the promises are strictest.

#include "faults.hpp"

#include <algorithm>

#include "barriers.hpp"
#include "broker.hpp"
#include "databases.hpp"
#include "process.hpp"
#include "redis_server.hpp"

namespace flashsale::model {

namespace {

constexpr micros faults_end = 4'500 * ms;

using fault = void (*)(world&);

// The plan of the current run.
int points_percent = 0;    ///< how often something strikes at a named point
std::vector<fault> kinds;  ///< what may go wrong

void crash_and_restart(world& in, int number) {
    process& of = *in.processes[static_cast<std::size_t>(number)];
    if (!of.alive()) return;
    of.die();
    in.after(in.random.between(5 * ms, 900 * ms), [&of] {
        if (!of.alive()) of.start();
    });
}

void stop_for_a_while(world& in, int number) {
    process& of = *in.processes[static_cast<std::size_t>(number)];
    if (!of.alive() || of.asleep()) return;
    const micros time = in.random.chance(50) ? in.random.between(100 * ms, 800 * ms)
                                             : in.random.between(800 * ms, 3'500 * ms);
    of.sleep_for(time);
    // Servers that hear nothing for long drop its connections.
    if (time > 600 * ms && in.random.chance(70)) {
        in.after(in.random.between(300 * ms, time - 1), [&in, &of, number, life = of.life()] {
            if (of.life() != life || !of.asleep()) return;
            in.amqp->miss(number);
            if (in.random.chance(70)) {
                in.stock->drop_sessions(number, life);
                in.orders->drop_sessions(number, life);
            }
        });
    }
}

void fault_of_process(world& in) {
    const int number = static_cast<int>(in.random.below(in.processes.size()));
    if (in.random.chance(60)) {
        crash_and_restart(in, number);
    } else {
        stop_for_a_while(in, number);
    }
}

std::size_t some_writes(world& in) {
    return in.random.chance(40) ? static_cast<std::size_t>(in.random.between(1, 3))
                                : static_cast<std::size_t>(in.random.between(1, 30));
}

/// Redis loses some or all of its data.
void loss_of_redis(world& in) {
    switch (in.random.below(6)) {
        case 0:
            in.redis->flush_all();
            break;
        case 1:
            in.redis->fail_over(some_writes(in));
            break;
        case 2:
            in.redis->demote_and_promote(some_writes(in));
            break;
        case 3:
            in.redis->restart_empty();
            break;
        default: {
            in.redis->stop();
            const bool empty = in.random.chance(50);
            in.after(in.random.between(2 * ms, 500 * ms), [&in, empty] {
                if (in.redis->reachable()) return;
                if (empty) {
                    in.redis->restart_empty();
                } else {
                    in.redis->restart(some_writes(in));
                }
            });
        }
    }
}

/// Redis is away and comes back as it was.
void fault_of_redis(world& in) {
    switch (in.random.below(4)) {
        case 0:
            in.tell("network", "cuts the connections of Redis");
            in.redis->cut_connections(false);
            break;
        case 1:
            in.redis->pause(in.random.between(50 * ms, 1'500 * ms));
            break;
        default:
            in.redis->stop();
            in.after(in.random.between(2 * ms, 600 * ms), [&in] {
                if (!in.redis->reachable()) in.redis->restart(0);
            });
    }
}

void loss_of_broker(world& in) {
    if (in.random.chance(20)) return in.amqp->purge();
    if (in.random.chance(35)) return in.amqp->delete_queue();
    in.amqp->stop();
    in.after(in.random.between(2 * ms, 700 * ms), [&in] { in.amqp->start(false); });
}

/// What is routed is not queued for a while, perhaps for longer than anybody waits.
void suspend_leader(world& in) {
    in.tell("broker", "its queue's leader is suspended");
    in.amqp->suspend_leader(in.random.between(100 * ms, 2'000 * ms));
}

void fault_of_broker(world& in) {
    switch (in.random.below(7)) {
        case 3:
        case 4:
            in.amqp->slow_down(static_cast<int>(in.random.below(in.processes.size())),
                               in.random.between(300 * ms, 2'000 * ms));
            break;
        case 0:
            in.amqp->stop();
            in.after(in.random.between(2 * ms, 700 * ms), [&in] { in.amqp->start(true); });
            break;
        case 1:
            in.amqp->block(true);
            in.after(in.random.between(50 * ms, 1'200 * ms), [&in] { in.amqp->block(false); });
            break;
        case 2:
            if (in.random.chance(50)) {
                in.tell("broker", "is slow to confirm");
                in.amqp->stall_confirms(in.random.between(100 * ms, 1'000 * ms));
            } else {
                suspend_leader(in);
            }
            break;
        default: {
            const auto which = in.random.between(1, 3);
            in.amqp->cut_connections(which & 1, which & 2);
        }
    }
}

void fault_of_databases(world& in) {
    database& of = in.random.chance(50) ? static_cast<database&>(*in.orders) : *in.stock;
    if (in.random.chance(35)) {
        of.go_down(in.random.between(50 * ms, 1'500 * ms));
    } else if (in.random.chance(50)) {
        of.stall(in.random.between(50 * ms, 1'500 * ms));
    } else {
        of.lose_replies(in.random.between(100 * ms, 1'500 * ms));
    }
}

void loss_of_queue(world& in) {
    in.amqp->delete_queue();
}

void purge_of_queue(world& in) {
    in.amqp->purge();
}

void slow_link(world& in) {
    in.amqp->slow_down(static_cast<int>(in.random.below(in.processes.size())),
                       in.random.between(300 * ms, 2'000 * ms));
}

void sleep_of_process(world& in) {
    stop_for_a_while(in, static_cast<int>(in.random.below(in.processes.size())));
}

/// A process looks for its gate elsewhere from its next start on, or where it was again. It starts
/// again at once, for one that is cut off together with a server has no time to end.
void move_of_process(world& in) {
    process& of = *in.processes[in.random.below(in.processes.size())];
    if (!of.alive()) return;
    of.move(of.place() == 0 ? 1 : 0);
    of.die();
    in.after(in.random.between(5 * ms, 300 * ms), [&of] {
        if (!of.alive()) of.start();
    });
}

bool reopening_asked = false;

void ask_for_reopening(world& in) {
    in.tell("operator", "asks for a reopening");
    reopening_asked = true;
}

/// What happens at one named point, so often that a guard which matters there alone is seen to.
struct trap {
    std::string_view where;
    int percent;
    void (*springs)(world& in, int number);
};

std::vector<trap> traps;  // of the current run's plan

struct plan {
    std::string_view name;
    int weight;
    std::vector<fault> kinds;
    int points_percent;
    std::vector<trap> traps = {};
};

/// The others' connections go, and what nobody has read: they read it no more.
void purge_what_others_read(world& in, int number) {
    for (int other = 0; other < static_cast<int>(in.processes.size()); ++other) {
        if (other != number) in.amqp->miss(other);
    }
    in.amqp->purge();
}

/// What was granted just now is lost at the gate, and in the log the first message of a channel:
/// routed before a reopening unbinds its token, perhaps, and queued some time after the leader goes
/// on.
void reconnect_and_suspend(world& in, int number, micros least, micros most) {
    in.amqp->miss(number);
    in.tell("broker", "its queue's leader is suspended");
    in.amqp->suspend_leader(in.random.between(least, most));
    in.redis->flush_all();
}

void suspend_shortly(world& in, int number) {
    reconnect_and_suspend(in, number, 100 * ms, 450 * ms);
}

void suspend_for_long(world& in, int number) {
    reconnect_and_suspend(in, number, 700 * ms, 2'000 * ms);
}

/// Sleeps for longer than a reopening takes, and the others make one where it does not look.
void sleep_while_others_move(world& in, int number) {
    in.processes[static_cast<std::size_t>(number)]->sleep_for(
        in.random.between(2'000 * ms, 3'500 * ms));
    for (const auto& one : in.processes) {
        if (one->number == number || !one->alive() || one->asleep()) continue;
        one->move(one->place() == 0 ? 1 : 0);
        one->die();
        in.after(in.random.between(5 * ms, 100 * ms), [&of = *one] {
            if (!of.alive()) of.start();
        });
    }
}

constexpr std::string_view granted = "between a grant and its publishing";
constexpr std::string_view survivors_are_out = "before the reopening's barrier";

const std::vector<plan>& plans() {
    static const std::vector<plan> all{
        {"calm", 3, {}, 0},
        {"processes", 10, {fault_of_process}, 8},
        {"redis loses", 13, {loss_of_redis, loss_of_redis, fault_of_broker}, 0},
        {"broker loses", 12, {loss_of_broker}, 0},
        {"network",
         10,
         {fault_of_redis, fault_of_broker, fault_of_databases, ask_for_reopening},
         0},
        {"redis loses, all fail",
         14,
         {loss_of_redis, loss_of_redis, fault_of_redis, fault_of_process, fault_of_broker,
          fault_of_databases, ask_for_reopening},
         5},
        {"broker loses, all fail",
         14,
         {loss_of_broker, loss_of_broker, fault_of_redis, fault_of_redis, fault_of_process,
          fault_of_broker, fault_of_databases},
         5},
        {"both lose, all fail",
         8,
         {loss_of_redis, loss_of_broker, fault_of_redis, fault_of_process, fault_of_process,
          fault_of_broker, fault_of_databases},
         5},
        {"both lose while a recorder sleeps",
         4,
         {loss_of_redis, loss_of_broker, sleep_of_process},
         12},
        // No server loses anything, so nothing excuses an order that is missing.
        {"gates are elsewhere",
         12,
         {move_of_process, move_of_process, sleep_of_process, fault_of_broker, fault_of_databases,
          ask_for_reopening},
         4},
    };
    return all;
}

/// What shows soonest that a guard is gone: a part of what runs with all guards meet too.
const plan* plan_without(guard one) {
    static const std::vector<std::pair<guard, plan>> all{
        {guard::mandatory,
         {"a queue that is gone", 0, {loss_of_queue, loss_of_queue, loss_of_redis}, 0}},
        {guard::wait_d,
         {"fresh channels while a way is taken",
          0,
          {fault_of_redis},
          0,
          {{granted, 30, suspend_shortly}}}},
        {guard::generation,
         {"fresh channels that are queued late",
          0,
          {fault_of_redis},
          0,
          {{granted, 30, suspend_for_long}}}},
        {guard::cut_at_barrier,
         {"slow records", 0, {loss_of_redis, ask_for_reopening, fault_of_databases}, 4}},
        {guard::survivors,
         {"a queue that is purged",
          0,
          {purge_of_queue, fault_of_redis, fault_of_databases},
          12,
          {{survivors_are_out, 70, purge_what_others_read}}}},
        {guard::fences_last,
         {"a queue that is purged under a reopener that dies",
          0,
          {purge_of_queue, fault_of_redis, fault_of_process},
          12,
          {{survivors_are_out, 50, purge_what_others_read}}}},
        {guard::fences_held,
         {"both lose while a recorder sleeps",
          0,
          {loss_of_redis, loss_of_broker, sleep_of_process},
          12}},
        {guard::begun, {"reopenings that die", 0, {ask_for_reopening, fault_of_process}, 12}},
        {guard::unbinding,
         {"sleepers whose gate is elsewhere", 0, {move_of_process, sleep_of_process}, 6}},
        {guard::own_token,
         {"sleepers whose gate is elsewhere", 0, {move_of_process, sleep_of_process}, 6}},
        {guard::fence_looked_at,
         {"sleepers whose gate is elsewhere", 0, {move_of_process, sleep_of_process}, 6}},
        {guard::return_stops, {"a broker that loses all", 0, {loss_of_broker}, 0}},
        {guard::fresh_token,
         {"menders that sleep while a gate is made elsewhere",
          0,
          {loss_of_broker, move_of_process, sleep_of_process},
          4,
          {{"before the sweep binds", 60, sleep_while_others_move}}}},
        {guard::newest_gate,
         {"gates are elsewhere",
          0,
          {move_of_process, move_of_process, sleep_of_process, fault_of_broker, loss_of_queue},
          4}},
        {guard::close_fences,
         {"reopeners that sleep",
          0,
          {fault_of_redis, sleep_of_process, slow_link, fault_of_databases},
          10}},
    };
    for (const auto& [what, own] : all) {
        if (what == one) return &own;
    }
    return nullptr;
}

const plan& plan_of(world& in) {
    if (const plan* own = plan_without(in.without())) return *own;
    if (in.plan_wanted >= 0)
        return plans()[static_cast<std::size_t>(in.plan_wanted) % plans().size()];
    int drawn = static_cast<int>(in.random.below(100));
    for (const plan& one : plans()) {
        drawn -= one.weight;
        if (drawn < 0) return one;
    }
    return plans().back();
}

void some_fault(world& in) {
    if (!in.faults_over && !kinds.empty()) kinds[in.random.below(kinds.size())](in);
}

/// Troubles come together.
void burst(world& in) {
    some_fault(in);
    while (in.random.chance(45))
        in.after(in.random.between(0, 500 * ms), [&in] { some_fault(in); });
}

}  // namespace

bool take_reopening_request() {
    return std::exchange(reopening_asked, false);
}

void reach(process& of, std::string_view where) {
    world& in = of.in;
    if (in.faults_over) return;
    for (const trap& set : traps) {
        if (set.where != where || !in.random.chance(set.percent)) continue;
        in.tell(of.name, "{}:", where);
        in.after(0, [&in, set, number = of.number] {
            if (!in.faults_over) set.springs(in, number);
        });
        return;
    }
    if (points_percent == 0 || !in.random.chance(points_percent)) return;
    in.tell(of.name, "{}:", where);
    const auto what = in.random.below(100);
    in.after(in.random.chance(50) ? 0 : in.random.between(0, 2 * ms),
             [&in, what, number = of.number] {
                 if (in.faults_over) return;
                 if (what < 40) return crash_and_restart(in, number);
                 if (what >= 75) return some_fault(in);
                 stop_for_a_while(in, number);
                 if (what >= 60) burst(in);
             });
}

void plan_faults(world& in) {
    prng& random = in.random;
    const plan& chosen = plan_of(in);
    in.tell("faults", "are those of plan '{}'", chosen.name);
    reopening_asked = false;
    kinds = chosen.kinds;
    points_percent = chosen.points_percent;
    traps = chosen.traps;
    if (!kinds.empty()) {
        for (auto count = random.between(1, 4); count > 0; --count)
            in.after(random.between(50 * ms, faults_end), [&in] { burst(in); });
    }
    in.after(faults_end + 4 * second, [&in] {
        in.tell("faults", "are over");
        in.faults_over = true;
        if (!in.redis->reachable()) in.redis->restart(0);
        for (const auto& one : in.processes) {
            one->move(0);
            if (one->alive() && one->place() != 0) one->die();
            if (!one->alive()) one->start();
        }
    });
}

}  // namespace flashsale::model
