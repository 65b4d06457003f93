// RabbitMQ dies, forgets, is full, or confirms and is not heard; the recorder dies at its side.

#include <flashsale/amqp.hpp>
#include <flashsale/base/fault_points.hpp>
#include <future>
#include <thread>

#include "cell.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;
using enum stack::server;

/// RabbitMQ 3.10 may lose a quorum queue that was declared in the last seconds before its kill.
constexpr auto queue_settles = 6s;

std::string queue_of(world& w) {
    return w.place().name() + ".recorder";
}

void kill_and_restart(world& w) {
    w.wait(queue_settles);
    outage down(rabbitmq, outage::kind::killed);
    w.fault();
    w.refuse(100);
    down.end();
}

void wipe(world& w) {
    stack::restart_empty(rabbitmq);
    w.fault();
}

void wipe_and_rebuild(world& w) {
    wipe(w);
    stack::restart(redis);
    w.fault();
}

void purge(world& w) {
    for (int i = 0; i < 3; ++i) {
        stack::rabbitmqctl({"purge_queue", queue_of(w)});
        w.fault();
        w.wait(500ms);
    }
}

void remove_binding(world& w) {
    stack::rabbitmqctl({"eval",
                        "[rabbit_binding:remove(One, <<\"nobody\">>) || One <- "
                        "rabbit_binding:list_for_source(rabbit_misc:r(<<\"/\">>, exchange, <<\"" +
                            w.place().name() + ".log\">>))]."});
    w.fault();
}

void remove_binding_for_a_while(world& w) {
    remove_binding(w);
    w.refuse(50);
}

/// What was taken and went nowhere is then at no place at all.
void remove_binding_and_flush(world& w) {
    remove_binding(w);
    w.wait(400ms);
    stack::redis_cli({"FLUSHALL"});
    w.fault();
}

void alarm(world& w) {
    const auto watermark = [](const char* share) {
        stack::rabbitmqctl({"set_vm_memory_high_watermark", share});
    };
    w.undo_later([watermark] { watermark("0.4"); });
    watermark("0.00001");
    w.fault();
    w.refuse(200);
    w.wait(3s);
    watermark("0.4");
}

void cut(world& w, int times) {
    for (int i = 0; i < times; ++i) {
        w.rabbitmq().cut();
        w.fault();
        w.wait(200ms);
    }
}

void cut_often(world& w) {
    cut(w, 30);
}

/// So often that some batch comes again that was recorded.
void cut_very_often(world& w) {
    cut(w, 150);
}

/// Batches that are recorded and not acknowledged come again. No process reconciles: a buyer that
/// was told that the outcome is unknown asks with the key until the answer is known, and so nothing
/// is left unpublished.
world_options unswept() {
    world_options out;
    out.variables = {{"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "3600000"}};
    return out;
}

void cut_confirms(world& w) {
    w.rabbitmq().cut_replies(0.05);
    w.until("confirms cut", [&] { return w.rabbitmq().replies_cut() >= 10; });
    w.rabbitmq().heal();
    w.fault(w.rabbitmq().replies_cut());
}

void silence(world& w) {
    w.rabbitmq().black_hole(true);
    w.fault();
    w.wait(7s);
    w.rabbitmq().heal();
}

/// One that parses and is no event, and one that does not parse.
void poison(world& w) {
    amqp::options settings;
    settings.url = std::getenv("FLASHSALE_AMQP__URL");
    amqp::topology names;
    names.exchange = w.place().name() + ".stranger";
    names.queue = queue_of(w);
    names.binding_key = "stranger";
    names.dead_letter_exchange = names.dead_letter_queue = w.place().name() + ".dead";
    std::vector<std::string> left{"these bytes are no JSON", R"([{"poison":true}])"};
    std::promise<void> sent;
    std::size_t confirmed = 0;
    amqp::publisher publisher(
        settings, names, {},
        [&](amqp::message& out) {
            if (left.empty()) return false;
            out = {"stranger", left.back(), left.size()};
            left.pop_back();
            return true;
        },
        [&](std::uint64_t, amqp::outcome what) {
            if (what == amqp::outcome::confirmed && ++confirmed == 2) sent.set_value();
        });
    publisher.start();
    publisher.wake();
    if (sent.get_future().wait_for(60s) != std::future_status::ready)
        throw std::runtime_error("the poison was not confirmed");
    publisher.stop(1s);
    w.fault(2);
    w.expect_parked(1);
    w.sell(200);
}

/// The reconciler's barriers pass once a second, so some of these batches have one behind them.
void kill_the_recorder_fifty_times(world& w) {
    using faults::place;
    constexpr place places[] = {place::between_databases, place::after_deliver,
                                place::before_commit,     place::after_commit,
                                place::before_ack,        place::before_prune};
    const auto trap_of = [&](std::size_t turn) {
        const auto where = static_cast<std::size_t>(places[turn % std::size(places)]);
        return environment{{"FLASHSALE_CRASH", std::string(faults::place_names[where]) + ":2"}};
    };
    // The other one sells, and has no recorder that could take over.
    const environment sells_only{{"FLASHSALE_RECORDER__ENABLED", "false"}};
    w.stop(1);
    w.lives(1, sells_only);
    w.start(1, sells_only);
    w.stop(0);
    w.start(0, trap_of(0));
    for (std::size_t died = 0; died < 50;) {
        w.lives(0, trap_of(died + 1));
        w.until("the recorder's next death", [&] { return w.crashes() > died; });
        died = w.crashes();
    }
    w.lives(0, {});
    w.stop(0);
    w.start(0);
}

/// What it had in hand is in the queue still, and nowhere else.
void kill_the_recorder_and_flush(world& w) {
    for (std::size_t i = 0; i < w.processes(); ++i) {
        w.stop(i);
        w.start(i, {{"FLASHSALE_CRASH", "before_commit:2"}});
    }
    // At once: a reconcile would mend it soon, if it could.
    const auto limit = std::chrono::steady_clock::now() + 120s;
    while (w.runs(0) && w.runs(1)) {
        if (std::chrono::steady_clock::now() > limit)
            throw std::runtime_error("the recorder never came to its commit");
        std::this_thread::sleep_for(2ms);
    }
    stack::redis_cli({"FLUSHALL"});
    w.fault();
}

world_options short_heartbeat() {
    world_options out;
    out.variables = {{"FLASHSALE_AMQP__HEARTBEAT_MS", "3000"}};
    return out;
}

}  // namespace

std::vector<cell> rabbitmq_cells() {
    std::vector<cell> all{
        {"rabbitmq: SIGKILL and restart", kill_and_restart},
        {"rabbitmq: its data wiped", wipe},
        {"rabbitmq: its data wiped, and a rebuild right after", wipe_and_rebuild},
        {"rabbitmq: the queue purged, three times", purge},
        {"rabbitmq: the binding removed", remove_binding_for_a_while},
        {"rabbitmq: the binding removed, then FLUSHALL", remove_binding_and_flush},
        {"rabbitmq: memory alarm", alarm},
        {"rabbitmq: connections cut every 200 ms", cut_often},
        {"rabbitmq: connections cut every 200 ms, and no pass of the reconciler", cut_very_often,
         unswept()},
        {"rabbitmq: cut before the confirm", cut_confirms},
        {"rabbitmq: silent for more than two heartbeats", silence, short_heartbeat()},
        {"rabbitmq: poison by hand", poison},
    };
    cell fifty{"the recorder dies in the middle of a batch, fifty times",
               kill_the_recorder_fifty_times};
    fifty.crash_points = true;
    all.push_back(std::move(fifty));
    cell uncommitted{"the recorder dies uncommitted, then FLUSHALL", kill_the_recorder_and_flush};
    uncommitted.crash_points = true;
    all.push_back(std::move(uncommitted));
    return all;
}

}  // namespace flashsale::test
