// A server that has room for one gate, and little more.

#include "cell.hpp"

namespace flashsale::test {

namespace {

using enum stack::server;

/// A gate of many orders on a server whose maxmemory is 1.3 times what it uses.
std::string fill(world& w) {
    constexpr std::int64_t orders_before = 60'000;
    const auto before = w.generation();
    w.sold_before(orders_before);
    stack::redis_cli({"FLUSHALL"});  // and what other cells have left
    w.until("a gate that knows what was sold before", [&] { return w.generation() > before; });
    w.sell(50);
    const auto info = stack::redis_cli({"INFO", "memory"});
    const std::string name = "used_memory:";
    const auto used = std::stoll(info.substr(info.find(name) + name.size()));
    return std::to_string(used * 13 / 10);
}

void restart_full(world& w, const std::string& maxmemory) {
    w.undo_later([] { stack::redis_cli({"CONFIG", "SET", "maxmemory", "0"}); });
    stack::restart(redis);
    stack::redis_cli({"CONFIG", "SET", "maxmemory", maxmemory});
}

void reopen_with_little_room(world& w) {
    restart_full(w, fill(w));
    w.fault();
}

void die_while_loading(world& w) {
    const auto maxmemory = fill(w);
    const environment deadly{{"FLASHSALE_CRASH", "reopen_load:1"}};
    for (std::size_t i = 0; i < w.processes(); ++i) {
        w.stop(i);
        w.lives(i, deadly);
        w.start(i, deadly);
    }
    w.sell(20);
    const auto before = w.generation();
    restart_full(w, maxmemory);
    w.until("five attempts", [&] { return w.generation() >= before + 5; });
    for (std::size_t i = 0; i < w.processes(); ++i)
        w.lives(i, {});
}

}  // namespace

std::vector<cell> memory_cells() {
    std::vector<cell> all;
    cell full{"reopening at maxmemory 1.3 times the gate", reopen_with_little_room};
    full.options.users = 40;
    all.push_back(full);
    full.name = "five attempts that die while loading, then one that must open";
    full.fault = die_while_loading;
    full.crash_points = true;
    all.push_back(std::move(full));
    return all;
}

}  // namespace flashsale::test
