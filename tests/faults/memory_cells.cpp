// A server that has room for one gate, and little more.

#include "cell.hpp"

namespace flashsale::test {

namespace {

using enum stack::server;

/// A gate of many orders on a server whose maxmemory is 1.3 times what it uses.
std::string fill(world& w) {
    constexpr std::int64_t orders_before = 60'000;
    const auto before = w.epoch();
    w.sold_before(orders_before);
    stack::redis_cli({"FLUSHALL"});  // and what other cells have left
    w.until("a gate that knows what was sold before", [&] { return w.epoch() > before; });
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

std::size_t said(const world& w, const std::string& words) {
    const auto logs = w.logs();
    std::size_t count = 0;
    for (auto at = logs.find(words); at != std::string::npos; at = logs.find(words, at + 1))
        ++count;
    return count;
}

std::size_t openings(const world& w) {
    return said(w, " is open, epoch ");
}

/// What is promised here is that it fits. If it does not, there is room in the end, so that the
/// sums can be made.
void expect_room(world& w, std::size_t openings_before) {
    const auto failed = [&] { return said(w, "is not rebuilt: load: redis: OOM"); };
    w.until("another gate, or attempts that do not fit",
            [&] { return openings(w) > openings_before || failed() >= 3; });
    if (failed() == 0) return;
    w.complain(std::to_string(failed()) + " attempts to rebuild did not fit into maxmemory");
    stack::redis_cli({"CONFIG", "SET", "maxmemory", "0"});
}

void rebuild_with_little_room(world& w) {
    const auto maxmemory = fill(w);
    const auto before = openings(w);
    restart_full(w, maxmemory);
    w.fault();
    expect_room(w, before);
}

void die_while_loading(world& w) {
    const auto maxmemory = fill(w);
    const environment deadly{{"FLASHSALE_CRASH", "rebuild_load:1"}};
    for (std::size_t i = 0; i < w.processes(); ++i) {
        w.stop(i);
        w.lives(i, deadly);
        w.start(i, deadly);
    }
    w.sell(20);
    const auto before = w.epoch();
    restart_full(w, maxmemory);
    w.until("five attempts", [&] { return w.epoch() >= before + 5; });
    for (std::size_t i = 0; i < w.processes(); ++i)
        w.lives(i, {});
    expect_room(w, 0);  // those who die while loading have opened none
}

}  // namespace

std::vector<cell> memory_cells() {
    std::vector<cell> all;
    cell full{"rebuild at maxmemory 1.3 times the gate", rebuild_with_little_room};
    full.options.users = 40;
    all.push_back(full);
    full.name = "five attempts that die while loading, then one that must open";
    full.fault = die_while_loading;
    full.crash_points = true;
    all.push_back(std::move(full));
    return all;
}

}  // namespace flashsale::test
