#include "apart.hpp"

#include <charconv>

namespace flashsale::test {

namespace {

std::size_t count_of(const std::string& words, const std::string& text) {
    std::size_t count = 0;
    for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
        ++count;
    return count;
}

}  // namespace

world_options apart_options() {
    world_options out;
    out.all_want_the_scarce = true;
    out.first_apart = true;
    out.armed = 1;
    out.first_life = {{"FLASHSALE_RECORDER__ENABLED", "false"},
                      {"FLASHSALE_RECOVERY__SWEEP_INTERVAL_MS", "3600000"}};
    out.variables = {{"FLASHSALE_RECOVERY__LEASE_MS", "1000"},
                     {"FLASHSALE_RECOVERY__SWEEP_INTERVAL_MS", "200"}};
    // While it sleeps it keeps those who ask it, and every second restock.
    out.answer_patience = std::chrono::seconds{3};
    return out;
}

std::uint64_t granted_by_first_gate(world& w) {
    const auto seq = stack::redis_cli({"HGET", "{" + w.place().name() + ":0}:gate", "seq"});
    std::uint64_t number = 0;
    std::from_chars(seq.data(), seq.data() + seq.size(), number);
    return number;
}

std::size_t reopened_by(world& w, std::size_t which) {
    return count_of(" is open, generation ", w.shop(which)->log());
}

std::uint64_t published_by(world& w, std::size_t which) {
    const std::string name = "\nflashsale_amqp_published_total ";
    try {
        const auto page = http_client(w.port(which)).get("/metrics").body;
        const auto at = page.find(name);
        if (at == std::string::npos) throw std::logic_error("no metric" + name);
        std::uint64_t number = 0;
        std::from_chars(page.data() + at + name.size(), page.data() + page.size(), number);
        return number;
    } catch (const std::runtime_error&) {
        return 0;
    }
}

void fail_over(world& w, second_redis& replica) {
    w.redis().close();
    replica.ask({"REPLICAOF", "NO", "ONE"});
    w.redis().retarget(replica.port());
    w.fault();
}

void sell_from_both(world& w) {
    w.until("a grant of the gate that was replaced",
            [&, before = granted_by_first_gate(w)] { return granted_by_first_gate(w) > before; });
    w.sell(15);
    w.join();
}

}  // namespace flashsale::test
