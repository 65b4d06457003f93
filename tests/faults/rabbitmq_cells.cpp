// RabbitMQ dies, forgets, is full, or confirms and is not heard.

#include "cell.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;

/// RabbitMQ 3.10 may lose a quorum queue that was declared in the last seconds before its kill.
constexpr auto queue_settles = 4s;

void kill_and_restart(world& w) {
    w.wait(queue_settles);
    outage down(stack::server::rabbitmq, outage::kind::killed);
    w.fault();
    w.refuse(100);
    down.end();
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

void cut_often(world& w) {
    for (int i = 0; i < 30; ++i) {
        w.rabbitmq().cut();
        w.fault();
        w.wait(200ms);
    }
}

void cut_confirms(world& w) {
    w.rabbitmq().cut_replies(0.05);
    w.until("confirms cut", [&] { return w.rabbitmq().replies_cut() >= 10; }, 60s);
    w.rabbitmq().heal();
    w.fault(w.rabbitmq().replies_cut());
}

void silence(world& w) {
    w.rabbitmq().black_hole(true);
    w.fault();
    w.wait(7s);
    w.rabbitmq().heal();
}

world_options short_heartbeat() {
    world_options out;
    out.variables = {{"FLASHSALE_AMQP__HEARTBEAT_MS", "3000"}};
    return out;
}

}  // namespace

std::vector<cell> rabbitmq_cells() {
    return {
        {"rabbitmq: SIGKILL and restart", kill_and_restart},
        {"rabbitmq: memory alarm", alarm},
        {"rabbitmq: connections cut every 200 ms", cut_often},
        {"rabbitmq: cut before the confirm", cut_confirms},
        {"rabbitmq: silent for more than two heartbeats", silence, short_heartbeat()},
    };
}

}  // namespace flashsale::test
