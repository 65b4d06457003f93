// What goes wrong in a run. A plan is drawn first, so that many runs lose one thing only, which is
// where the promises are strictest.

#include <algorithm>

#include "barriers.hpp"
#include "broker.hpp"
#include "databases.hpp"
#include "process.hpp"
#include "redis_server.hpp"

namespace flashsale::model {

namespace {

constexpr micros faults_end = 4'500 * ms;

// Set by the plan of the current run.
int crash_points_percent = 0;

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
    if (in.random.chance(35)) return in.amqp->delete_queue();
    in.amqp->stop();
    in.after(in.random.between(2 * ms, 700 * ms), [&in] { in.amqp->start(false); });
}

void fault_of_broker(world& in) {
    switch (in.random.below(5)) {
        case 0:
            in.amqp->stop();
            in.after(in.random.between(2 * ms, 700 * ms), [&in] { in.amqp->start(true); });
            break;
        case 1:
            in.amqp->block(true);
            in.after(in.random.between(50 * ms, 1'200 * ms), [&in] { in.amqp->block(false); });
            break;
        case 2:
            in.tell("broker", "is slow to confirm");
            in.amqp->stall_confirms(in.random.between(100 * ms, 1'000 * ms));
            break;
        default: {
            const auto which = in.random.between(1, 3);
            in.amqp->cut_connections(which & 1, which & 2);
        }
    }
}

void fault_of_databases(world& in) {
    database& of = in.random.chance(50) ? static_cast<database&>(*in.orders) : *in.stock;
    if (in.random.chance(50)) {
        of.go_down(in.random.between(50 * ms, 1'500 * ms));
    } else {
        of.lose_replies(in.random.between(100 * ms, 1'500 * ms));
    }
}

using fault = void (*)(world&);

}  // namespace

void reach(process& of, std::string_view where) {
    world& in = of.in;
    if (in.faults_over || crash_points_percent == 0 || !in.random.chance(crash_points_percent))
        return;
    in.tell(of.name, "{}:", where);
    in.after(in.random.chance(50) ? 0 : in.random.between(0, 2 * ms),
             [&in, number = of.number, dies = in.random.chance(60)] {
                 if (in.faults_over) return;
                 if (dies) {
                     crash_and_restart(in, number);
                 } else {
                     stop_for_a_while(in, number);
                 }
             });
}

void plan_faults(world& in) {
    prng& random = in.random;
    std::vector<fault> kinds;
    const auto plan = random.below(100);
    crash_points_percent = 0;
    const auto add = [&](std::initializer_list<fault> more) { kinds.insert(kinds.end(), more); };
    if (plan < 3) {
        // all is well
    } else if (plan < 15) {
        add({fault_of_process});
        crash_points_percent = 8;
    } else if (plan < 30) {
        add({loss_of_redis});
    } else if (plan < 42) {
        add({loss_of_broker});
    } else if (plan < 52) {
        add({fault_of_redis, fault_of_broker, fault_of_databases});
    } else if (plan < 68) {
        add({loss_of_redis, loss_of_redis, fault_of_redis, fault_of_process, fault_of_broker,
             fault_of_databases});
        crash_points_percent = 5;
    } else if (plan < 84) {
        add({loss_of_broker, loss_of_broker, fault_of_redis, fault_of_redis, fault_of_process,
             fault_of_broker, fault_of_databases});
        crash_points_percent = 5;
    } else {
        add({loss_of_redis, loss_of_broker, fault_of_redis, fault_of_process, fault_of_process,
             fault_of_broker, fault_of_databases});
        crash_points_percent = 5;
    }
    if (!kinds.empty()) {
        for (auto count = random.between(1, 5); count > 0; --count) {
            const fault what = kinds[random.below(kinds.size())];
            in.after(random.between(50 * ms, faults_end), [&in, what] { what(in); });
        }
    }
    in.after(faults_end + 4 * second, [&in] {
        in.tell("faults", "are over");
        in.faults_over = true;
        if (!in.redis->reachable()) in.redis->restart(0);
        for (const auto& one : in.processes) {
            if (!one->alive()) one->start();
        }
    });
}

}  // namespace flashsale::model
