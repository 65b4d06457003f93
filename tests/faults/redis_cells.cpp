// Redis dies, sleeps, forgets, or does what it was asked and cannot say so.

#include "cell.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;

void flush_scripts(world& w) {
    for (int i = 0; i < 10; ++i) {
        stack::redis_cli({"SCRIPT", "FLUSH"});
        w.fault();
        w.wait(200ms);
    }
}

void sleep(world& w) {
    outage down(stack::server::redis, outage::kind::stopped);
    w.fault();
    w.wait(10s);
    down.end();
}

void cut_replies(world& w) {
    w.redis().cut_replies(0.01);
    w.until("replies cut", [&] { return w.redis().replies_cut() >= 15; });
    w.redis().heal();
    w.fault(w.redis().replies_cut());
}

void fill_memory(world& w) {
    w.undo_later([] { stack::redis_cli({"CONFIG", "SET", "maxmemory", "0"}); });
    stack::redis_cli({"CONFIG", "SET", "maxmemory", "1mb"});
    w.fault();
    w.refuse(100);
    w.wait(1s);
    stack::redis_cli({"CONFIG", "SET", "maxmemory", "0"});
}

void slice_bytes(world& w) {
    w.redis().slice(1);
    w.redis().delay(20ms);
    w.fault();
    w.wait(3s);
    w.redis().heal();
}

}  // namespace

std::vector<cell> redis_cells() {
    return {
        {"redis: SCRIPT FLUSH", flush_scripts},
        {"redis: SIGSTOP 10 s", sleep},
        {"redis: reply cut after execution, 1% of calls", cut_replies},
        {"redis: maxmemory reached", fill_memory},
        {"redis: 20 ms away, byte by byte", slice_bytes},
    };
}

}  // namespace flashsale::test
