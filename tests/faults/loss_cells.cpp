// Redis forgets, goes back in time or is exchanged under its name; the gate is rebuilt from the
// record, and the process that rebuilds it dies, sleeps or has company.

#include <filesystem>
#include <flashsale/base/fault_points.hpp>
#include <future>
#include <thread>

#include "cell.hpp"
#include "second_redis.hpp"
#include "sql.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;

constexpr auto batch_sleeps_max = 8s;  // of a confirm deadline of 10 s
using enum stack::server;
namespace fs = std::filesystem;

fs::path stack_folder() {
    return std::getenv("FLASHSALE_STACK_DIR");
}

void flush(world& w) {
    stack::redis_cli({"FLUSHALL"});
    w.fault();
}

void flush_twice(world& w) {
    for (int i = 0; i < 2; ++i) {
        flush(w);
        w.refuse(20);
        w.sell(200);
    }
}

void kill_with_aof(world& w) {
    for (int i = 0; i < 2; ++i) {
        outage down(redis, outage::kind::killed);
        w.fault();
        w.wait(500ms);
        down.end();
        w.sell(200);
    }
}

void restart_empty(world& w) {
    stack::restart_empty(redis);
    w.fault();
}

void cut_aof(world& w) {
    outage down(redis, outage::kind::killed);
    w.fault();
    fs::path newest;
    for (const auto& file : fs::recursive_directory_iterator(stack_folder() / "redis")) {
        const auto name = file.path().filename().string();
        if (name.find(".incr.aof") != std::string::npos) newest = std::max(newest, file.path());
    }
    const auto size = fs::file_size(newest);
    fs::resize_file(newest, size - std::min<std::uintmax_t>(size, 20'000 + w.seed() * 37));
    down.end();
}

/// Everything that the server was at an earlier moment, as a backup would have it.
void restore_older(world& w) {
    const auto data = stack_folder() / "redis", copy = stack_folder() / "redis-copy";
    w.undo_later([copy] { fs::remove_all(copy); });
    run_or_throw({"cp", "-a", data.string(), copy.string()});
    w.sell(900);
    outage down(redis, outage::kind::killed);
    w.fault();
    fs::remove_all(data);
    run_or_throw({"cp", "-a", copy.string(), data.string()});
    down.end();
}

void fail_over_to_a_lagging_replica(world& w) {
    const auto second = follow(w);
    w.undo_later([second] {});  // serves until the books are closed
    second->signal(SIGSTOP);
    w.sell(300);
    stack::kill(redis);
    w.fault();
    w.redis().retarget(second->port());
    w.redis().cut();
    second->signal(SIGCONT);
    second->ask({"REPLICAOF", "NO", "ONE"});
}

void follow_an_older_server_and_be_promoted(world& w) {
    const auto second = follow(w);
    second->ask({"REPLICAOF", "NO", "ONE"});
    w.sell(900);
    stack::redis_cli({"REPLICAOF", "127.0.0.1", std::to_string(second->port())});
    w.fault();
    w.until("the older server's data", [] {
        return stack::redis_cli({"INFO", "replication"}).find("master_link_status:up") !=
               std::string::npos;
    });
    stack::redis_cli({"REPLICAOF", "NO", "ONE"});
}

/// The record is behind what was accepted, by all that comes in some seconds.
void flush_while_the_record_is_behind(world& w) {
    std::thread holding([&] {
        run_sql(w.place().url(sandbox::database::order),
                "BEGIN; LOCK TABLE orders IN EXCLUSIVE MODE; SELECT pg_sleep(7); COMMIT");
    });
    try {
        w.wait(1500ms);
        flush(w);
        w.wait(4s);
    } catch (...) {
        holding.join();
        throw;
    }
    holding.join();
}

// ---- those who rebuild

void flush_and_die(world& w) {
    flush(w);
    w.until("a death while rebuilding", [&] { return w.crashes() >= 1; });
}

cell crash_while_rebuilding(faults::place where) {
    cell out;
    const std::string place(faults::place_names[static_cast<std::size_t>(where)]);
    out.name = "crash at " + place;
    out.crash_points = true;
    out.options.first_life = {{"FLASHSALE_CRASH", place + ":1"}};
    out.fault = flush_and_die;
    return out;
}

/// Redis has all that it had. RabbitMQ loses what a rebuild has published from it, and keeps the
/// barrier behind that.
void lose_the_survivors(world& w) {
    stack::restart(redis);
    w.fault();
    w.until("a rebuilder asleep", [&] { return w.asleep(0) || w.asleep(1); });
    stack::rabbitmqctl({"purge_queue", w.place().name() + ".recorder"});
    w.fault();
    const std::size_t rebuilder = w.asleep(0) ? 0 : 1, other = 1 - rebuilder;
    w.stop(other);
    w.start(other);  // and records
    w.kill(rebuilder, SIGCONT);
}

void lose_the_survivors_and_the_rebuilder(world& w) {
    lose_the_survivors(w);
    w.until("a death behind the barrier", [&] { return w.crashes() >= 1; });
}

void sleep_across_a_rebuild(world& w) {
    w.kill(0, SIGSTOP);
    flush(w);
    w.until("a gate that is open again",
            [&, before = w.people().accepted()] { return w.people().accepted() > before + 100; });
    w.kill(0, SIGCONT);
}

/// The first rebuilder falls asleep with the gate loaded, loses its lease, and wakes up after
/// another has rebuilt, and Redis has lost everything once more.
void sleep_through_the_lease(world& w) {
    flush(w);
    w.until("a rebuilder asleep", [&] { return w.asleep(0); });
    w.until("another's rebuild",
            [&, before = w.people().accepted()] { return w.people().accepted() > before + 100; });
    flush(w);
    w.wait(1s);
    w.kill(0, SIGCONT);
}

void create_while_rebuilding(world& w) {
    http_client client(w.port(0));
    for (int i = 0; i < 3; ++i) {
        flush(w);
        for (int n = 0; n < 5; ++n) {
            const std::string key = "p" + std::to_string(i) + "-" + std::to_string(n);
            w.until("a product", [&] {
                try {
                    return client
                               .post("/v1/products",
                                     std::string_view(R"({"name":"New","price":5,"stock":7})"),
                                     {{"Idempotency-Key", key}})
                               .status == 201;
                } catch (const std::runtime_error&) {
                    return false;
                }
            });
            w.wait(250ms);
        }
        w.sell(50);
    }
}

/// An operator asks for it while all is well, and that process is slow: what is granted meanwhile
/// by a gate that was not closed, the new one does not know of.
void rebuild_for_no_reason(world& w) {
    w.until("a publisher asleep with a granted batch", [&] { return w.asleep(0); });
    environment slow = w.place().variables();
    slow["FLASHSALE_STOP"] = "rebuild_raise_fences:1";
    slow["FLASHSALE_RECOVERY__LEASE_MS"] = "600000";  // no other takes over while it sleeps
    process rebuild(
        {flashsale_binary(), "rebuild", "--shard", "0", "--config", w.place().config_file()}, slow);
    w.fault();
    w.wait(2s);
    w.kill(0, SIGCONT);
    w.until("a rebuilder asleep", [&] { return is_stopped(rebuild.pid()); });
    w.wait(2s);
    rebuild.kill(SIGCONT);
    w.until("the end of the rebuild", [&] { return !rebuild.running(); });
    if (rebuild.wait(0ms) != 0) throw std::runtime_error("flashsale rebuild: " + rebuild.output());
    w.sell(30);
}

/// A process has granted a batch and not yet published it when Redis forgets. It does so while it
/// may still answer 201: as late as that allows, or when a rebuild that did not wait is over, and
/// the units of the batch are sold once more.
void flush_with_a_batch_on_its_way(world& w) {
    w.until("a publisher asleep with a granted batch", [&] { return w.asleep(0); });
    w.wait(500ms);
    flush(w);
    const auto before = w.people().accepted();
    const auto latest = std::chrono::steady_clock::now() + batch_sleeps_max;
    while (std::chrono::steady_clock::now() < latest && w.people().accepted() < before + 10)
        w.wait(20ms);
    w.kill(0, SIGCONT);
    w.sell(30);
}

}  // namespace

std::vector<cell> loss_cells() {
    std::vector<cell> all{
        {"redis: FLUSHALL, twice", flush_twice},
        {"redis: SIGKILL and restart with AOF, twice", kill_with_aof},
        {"redis: SIGKILL and restart without AOF", restart_empty},
        {"redis: SIGKILL, and the AOF's tail is cut", cut_aof},
        {"redis: an older copy restored", restore_older},
        {"redis: failover to a lagging replica", fail_over_to_a_lagging_replica},
        {"redis: replica of an older server, and promoted", follow_an_older_server_and_be_promoted},
        {"redis: FLUSHALL while the record is behind", flush_while_the_record_is_behind},
        {"SIGSTOP across a rebuild", sleep_across_a_rebuild},
        {"a product's creation races a rebuild", create_while_rebuilding},
    };
    for (std::size_t i = static_cast<std::size_t>(faults::place::rebuild_raise_epoch);
         i <= static_cast<std::size_t>(faults::place::rebuild_open_gate); ++i)
        all.push_back(crash_while_rebuilding(static_cast<faults::place>(i)));

    cell two{"two rebuilders, one asleep through its lease", sleep_through_the_lease};
    two.crash_points = true;
    two.options.armed = 1;
    two.options.first_life = {{"FLASHSALE_STOP", "rebuild_load:1"}};
    all.push_back(std::move(two));

    cell purged{"rabbitmq: a rebuild's survivors purged, not its barrier", lose_the_survivors};
    purged.crash_points = true;
    purged.options.first_life = {{"FLASHSALE_RECORDER__ENABLED", "false"},
                                 {"FLASHSALE_STOP", "rebuild_publish_survivors:1"}};
    // However long it takes to purge the queue: no other process rebuilds meanwhile.
    purged.options.variables = {{"FLASHSALE_RECOVERY__LEASE_MS", "600000"}};
    all.push_back(purged);
    purged.name += ", and the rebuilder dies";
    purged.fault = lose_the_survivors_and_the_rebuilder;
    purged.options.first_life["FLASHSALE_CRASH"] = "rebuild_await_barrier:1";
    all.push_back(std::move(purged));

    cell asked{"rebuilt for no reason, with a batch on its way", rebuild_for_no_reason};
    asked.crash_points = true;
    asked.options.all_want_the_scarce = true;
    asked.options.armed = 1;
    asked.options.first_life = {{"FLASHSALE_STOP", "before_publish:60"}};
    all.push_back(asked);
    asked.name = "redis: FLUSHALL, with a batch on its way";
    asked.fault = flush_with_a_batch_on_its_way;
    // Else the one asleep may be the one that records, and whose barrier is waited for.
    asked.options.first_life["FLASHSALE_RECORDER__ENABLED"] = "false";
    asked.options.answer_patience = 12s;
    asked.options.variables = {{"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "10000"},
                               {"FLASHSALE_RECOVERY__LEASE_MS", "1000"}};
    all.push_back(std::move(asked));
    return all;
}

}  // namespace flashsale::test
