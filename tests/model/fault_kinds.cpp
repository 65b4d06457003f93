#include "fault_kinds.hpp"

#include <algorithm>

#include "balances.hpp"
#include "broker.hpp"
#include "databases.hpp"
#include "faults.hpp"
#include "process.hpp"
#include "redis_server.hpp"

namespace flashsale::model {

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

/// What is routed is not queued for a while, perhaps for longer than any caller waits.
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
    database* all[] = {in.orders.get(), in.stock.get(), in.users.get()};
    database& of = *all[in.with_life ? in.random.below(3) : 1 - in.random.chance(50)];
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

/// They look for their gate in one and the same place.
void move_of_all(world& in) {
    const int to = in.processes.front()->place() == 0 ? 1 : 0;
    for (const auto& one : in.processes) {
        one->move(to);
        one->die();
        in.after(in.random.between(5 * ms, 300 * ms), [&of = *one] {
            if (!of.alive()) of.start();
        });
    }
}

void ask_for_rebuild(world& in) {
    process& of = *in.processes[in.random.below(in.processes.size())];
    if (of.alive() && !of.asleep()) of.rebuild_by_hand();
}

/// What was granted just now is lost at the gate, and in the log the first message of a channel:
/// routed before a rebuild unbinds its token, perhaps, and queued some time after the leader goes
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

void flush_the_gate(world& in, int) {
    in.redis->flush_all();
}

/// Past the hold's end, and until others have taken up what it has begun.
void sleep_for_long(world& in, int number) {
    in.processes[static_cast<std::size_t>(number)]->sleep_for(
        in.random.between(1'200 * ms, 4'000 * ms));
}

/// Sleeps for longer than a rebuild takes, and the others make one where it does not look.
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

/// The same, one at a time.
void sleep_alone_while_others_move(world& in, int number) {
    if (std::ranges::any_of(in.processes, [](const auto& one) { return one->asleep(); })) return;
    sleep_while_others_move(in, number);
}

/// What it has in hand is nowhere else any more, and it sleeps for longer than a rebuild takes.
void lose_both_and_sleep(world& in, int number) {
    in.amqp->delete_queue();
    in.redis->flush_all();
    in.processes[static_cast<std::size_t>(number)]->sleep_for(
        in.random.between(1'500 * ms, 3'500 * ms));
}

/// A process that slept while a gate was opened elsewhere is asked before it has looked.
void others_sleep(world& in, int number) {
    for (const auto& one : in.processes) {
        if (one->number != number && one->alive() && !one->asleep())
            one->sleep_for(in.random.between(300 * ms, 1'800 * ms));
    }
}

}  // namespace flashsale::model
