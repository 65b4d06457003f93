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

std::uint64_t number_in(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
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
                     {"FLASHSALE_RECOVERY__SWEEP_INTERVAL_MS", "1000"}};
    // While it sleeps it keeps those who ask it, and every second restock. The patient are there
    // still when it wakes.
    out.answer_patience = std::chrono::seconds{3};
    out.patient = 0.5;
    return out;
}

std::size_t reopened_by(world& w, std::size_t which) {
    return count_of(" is open, generation ", w.shop(which)->log());
}

std::uint64_t counter(world& w, std::size_t which, const std::string& name) {
    const std::string line = "\nflashsale_" + name + " ";
    const auto page = http_client(w.port(which)).get("/metrics").body;
    const auto at = page.find(line);
    if (at == std::string::npos) throw std::runtime_error("no metric " + name);
    return number_in(std::string_view(page).substr(at + line.size()));
}

void fail_over(world& w, second_redis& replica) {
    w.redis().close();
    replica.ask({"REPLICAOF", "NO", "ONE"});
    w.redis().retarget(replica.port());
    w.fault();
}

first_gate::first_gate(world& w)
    : w_(w), granted_(granted()), returned_(counter(w, 0, "amqp_returned_total")) {}

std::uint64_t first_gate::granted() const {
    return number_in(stack::redis_cli({"HGET", "{" + w_.place().name() + ":0}:gate", "seq"}));
}

void first_gate::sell_from_both() {
    w_.until("a grant of the gate that was replaced", [&] {
        return granted() > granted_ || counter(w_, 0, "amqp_returned_total") > returned_;
    });
    w_.sell(15);
    w_.join();
}

}  // namespace flashsale::test
