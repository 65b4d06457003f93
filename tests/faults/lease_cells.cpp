// A shard is looked after by one process at a time, the one that has its lease. That one is cut
// off, alone, from what it needs for it, and the gate is lost.

#include "apart.hpp"
#include "cell.hpp"
#include "http_client.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;

constexpr auto takeover_limit = 60s;

/// Process 0, which was there first, has the lease. `cut` takes one of its ways, and only that.
void cut_off(world& w, fault_proxy& way, const std::function<void(fault_proxy&)>& cut) {
    const auto before = rebuilt_by(w, 1);
    cut(way);
    stack::redis_cli({"DEL", "{" + w.place().name() + ":0}:gate"});
    w.fault();
    const auto end = std::chrono::steady_clock::now() + takeover_limit;
    while (rebuilt_by(w, 1) == before && std::chrono::steady_clock::now() < end)
        w.wait(100ms);
    if (rebuilt_by(w, 1) > before) {
        w.sell(100);
    } else {
        w.complain("the process that could did not rebuild the gate");
    }
    way.heal();
    w.until("the process that was cut off, ready again",
            [&] { return http_client(w.port(0)).get("/readyz").status == 200; });
}

void close(fault_proxy& way) {
    way.close();
}

void black_hole(fault_proxy& way) {
    way.black_hole(true);
}

void redis_refused(world& w) {
    cut_off(w, w.own().redis, close);
}

void redis_silent(world& w) {
    cut_off(w, w.own().redis, black_hole);
}

void rabbitmq_refused(world& w) {
    cut_off(w, w.own().rabbitmq, close);
}

void rabbitmq_silent(world& w) {
    cut_off(w, w.own().rabbitmq, black_hole);
}

}  // namespace

std::vector<cell> lease_cells() {
    world_options apart;
    apart.first_apart = true;
    return {
        {"lease: its holder alone cut off from Redis, refused, and the gate lost", redis_refused,
         apart},
        {"lease: its holder alone cut off from Redis, silent, and the gate lost", redis_silent,
         apart},
        {"lease: its holder alone cut off from RabbitMQ, refused, and the gate lost",
         rabbitmq_refused, apart},
        {"lease: its holder alone cut off from RabbitMQ, silent, and the gate lost",
         rabbitmq_silent, apart},
    };
}

}  // namespace flashsale::test
