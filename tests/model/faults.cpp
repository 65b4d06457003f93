// What goes wrong in a run. A plan is drawn first, so that many runs lose one thing only, which is
// where the promises are strictest.

#include "faults.hpp"

#include <algorithm>

#include "broker.hpp"
#include "databases.hpp"
#include "fault_kinds.hpp"
#include "process.hpp"
#include "redis_server.hpp"

namespace flashsale::model {

namespace {

constexpr micros faults_end = 4'500 * ms;

using fault = void (*)(world&);

// The plan of the current run.
int points_percent = 0;                ///< how often something strikes at a named point
constexpr int on_the_way_percent = 5;  ///< of the questions of recovery are such a point
std::vector<fault> kinds;              ///< what may go wrong

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

/// The others' connections go, and what they have not read: they read it no more.
void purge_what_others_read(world& in, int number) {
    for (int other = 0; other < static_cast<int>(in.processes.size()); ++other) {
        if (other != number) in.amqp->miss(other);
    }
    in.amqp->purge();
}

constexpr std::string_view granted = "between a grant and its publishing";
constexpr std::string_view a_batch_in_hand = "with a batch in hand";
constexpr std::string_view survivors_are_out = "rebuild_publish_survivors";
constexpr std::string_view paying = "payment_started";
constexpr std::string_view decided = "payment_decided";
constexpr std::string_view ended = "order_ended";
constexpr std::string_view units_are_back = "units_returned";
constexpr std::string_view gate_is_told = "gate_told";
constexpr std::string_view money_is_back = "refund_given";
constexpr std::string_view placed = "replacement_granted";
constexpr std::string_view replaced = "replacement_recorded";

const std::vector<plan>& plans() {
    static const std::vector<plan> all{
        {"calm", 3, {}, 0},
        {"processes", 10, {fault_of_process}, 8},
        {"redis loses", 13, {loss_of_redis, loss_of_redis, fault_of_broker}, 0},
        {"broker loses", 12, {loss_of_broker}, 0},
        {"network", 10, {fault_of_redis, fault_of_broker, fault_of_databases, ask_for_rebuild}, 0},
        {"redis loses, all fail",
         14,
         {loss_of_redis, loss_of_redis, fault_of_redis, fault_of_process, fault_of_broker,
          fault_of_databases, ask_for_rebuild},
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
         12,
         {{a_batch_in_hand, 5, lose_both_and_sleep}}},
        // No server loses anything, so nothing excuses an order that is missing.
        {"gates are elsewhere",
         12,
         {move_of_process, move_of_process, sleep_of_process, fault_of_broker, fault_of_databases,
          ask_for_rebuild},
         4},
    };
    return all;
}

/// The same, where orders are held, paid for and cancelled.
const std::vector<plan>& plans_of_life() {
    static const std::vector<plan> all{
        {"clerks die", 20, {fault_of_process, fault_of_databases}, 12},
        {"clerks sleep", 20, {sleep_of_process, fault_of_databases, fault_of_databases}, 10},
        {"a gate is lost while holds end",
         25,
         {loss_of_redis, fault_of_process, ask_for_rebuild},
         4,
         {{ended, 10, flush_the_gate}, {units_are_back, 25, flush_the_gate}}},
        {"payers sleep while others go on",
         15,
         {fault_of_databases},
         0,
         {{paying, 40, sleep_for_long}, {decided, 20, crash_and_restart}}},
        {"clerks sleep while a gate is made elsewhere",
         10,
         {move_of_all, move_of_process, fault_of_databases},
         0,
         {{ended, 40, sleep_alone_while_others_move}}},
        {"late money while a gate is lost",
         10,
         {loss_of_redis, loss_of_broker, fault_of_databases},
         4,
         {{placed, 30, crash_and_restart}, {replaced, 30, sleep_for_long}}},
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
        {guard::epoch,
         {"fresh channels that are queued late",
          0,
          {fault_of_redis},
          0,
          {{granted, 30, suspend_for_long}}}},
        {guard::cut_at_barrier,
         {"slow records", 0, {loss_of_redis, ask_for_rebuild, fault_of_databases}, 4}},
        {guard::survivors,
         {"a queue that is purged",
          0,
          {purge_of_queue, fault_of_redis, fault_of_databases},
          12,
          {{survivors_are_out, 70, purge_what_others_read}}}},
        {guard::fences_last,
         {"a queue that is purged under a rebuilder that dies",
          0,
          {fault_of_redis, fault_of_databases, ask_for_rebuild},
          4,
          {{survivors_are_out, 70, purge_what_others_read},
           {"rebuild_await_barrier", 60, crash_and_restart}}}},
        {guard::fences_held,
         {"both lose while a recorder sleeps",
          0,
          {loss_of_redis, loss_of_broker, sleep_of_process},
          12,
          {{a_batch_in_hand, 30, lose_both_and_sleep}}}},
        {guard::begun, {"rebuilds that die", 0, {ask_for_rebuild, fault_of_process}, 12}},
        {guard::unbinding,
         {"sleepers whose gate is elsewhere", 0, {move_of_process, sleep_of_process}, 6}},
        {guard::own_token,
         {"sleepers whose gate is elsewhere", 0, {move_of_process, sleep_of_process}, 6}},
        {guard::fence_looked_at,
         {"others sleep while a gate is made elsewhere",
          0,
          {move_of_process, move_of_process},
          0,
          {{"rebuild_mark_open", 80, others_sleep}}}},
        {guard::return_stops, {"a broker that loses all", 0, {loss_of_broker}, 0}},
        {guard::fresh_token,
         {"menders that sleep while a gate is made elsewhere",
          0,
          {loss_of_broker, move_of_process, sleep_of_process},
          4,
          {{"before the reconciler binds", 60, sleep_while_others_move}}}},
        {guard::newest_gate,
         {"gates are elsewhere",
          0,
          {move_of_process, move_of_process, sleep_of_process, fault_of_broker, loss_of_queue},
          4}},
        {guard::compare_and_set,
         {"slow databases", 0, {fault_of_databases, fault_of_databases, sleep_of_process}, 4}},
        {guard::one_decision,
         {"payers die", 0, {fault_of_databases}, 0, {{decided, 40, crash_and_restart}}}},
        {guard::entry_once,
         {"refunds die", 0, {fault_of_databases}, 0, {{money_is_back, 60, crash_and_restart}}}},
        {guard::movement_once,
         {"returns die", 0, {fault_of_databases}, 0, {{units_are_back, 40, crash_and_restart}}}},
        {guard::cumulative,
         {"returns die", 0, {fault_of_databases}, 0, {{gate_is_told, 40, crash_and_restart}}}},
        {guard::return_due,
         {"returns die", 0, {fault_of_databases}, 0, {{units_are_back, 40, crash_and_restart}}}},
        {guard::newest_told,
         {"clerks sleep while a gate is made elsewhere",
          0,
          {move_of_all, fault_of_databases, fault_of_databases},
          0,
          {{ended, 40, sleep_while_others_move}}}},
    };
    for (const auto& [what, own] : all) {
        if (what == one) return &own;
    }
    return nullptr;
}

const plan& plan_of_number(std::size_t number) {
    if (number < plans().size()) return plans()[number];
    return plans_of_life()[(number - plans().size()) % plans_of_life().size()];
}

const plan& plan_of(world& in) {
    if (const plan* own = plan_without(in.without())) return *own;
    if (in.plan_wanted >= 0) return plan_of_number(static_cast<std::size_t>(in.plan_wanted));
    const auto& all = in.with_life && in.random.chance(50) ? plans_of_life() : plans();
    int drawn = static_cast<int>(in.random.below(100));
    for (const plan& one : all) {
        drawn -= one.weight;
        if (drawn < 0) return one;
    }
    return all.back();
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

bool strikes(process& of, std::string_view where) {
    world& in = of.in;
    if (in.faults_over) return false;
    for (const trap& set : traps) {
        if (set.where != where || !in.random.chance(set.percent)) continue;
        in.tell(of.name, "{}:", where);
        in.after(0, [&in, set, number = of.number] {
            if (!in.faults_over) set.springs(in, number);
        });
        return true;
    }
    if (points_percent == 0 || !in.random.chance(points_percent)) return false;
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
    return true;
}

void reach(process& of, std::string_view where) {
    if (strikes(of, where) && fiber::current()) of.nap(1);
}

void reach_on_the_way(process& of) {
    if (points_percent > 0 && of.in.random.chance(on_the_way_percent)) reach(of, "on the way");
}

void plan_faults(world& in) {
    prng& random = in.random;
    const plan& chosen = plan_of(in);
    in.tell("faults", "are those of plan '{}'", chosen.name);
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
