#include "apart.hpp"

#include <charconv>
#include <future>

#include "http_client.hpp"
#include "sql.hpp"

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

/// Its id.
std::string scarce_product(world& w) {
    return *w.place().sql(sandbox::database::stock, "SELECT max(id) FROM products").at(0).at(0);
}

/// By the gate of the stack's Redis.
std::uint64_t granted_there(world& w) {
    return number_in(stack::redis_cli({"HGET", "{" + w.place().name() + ":0}:gate", "seq"}));
}

}  // namespace

world_options apart_options() {
    world_options out;
    out.all_want_the_scarce = true;
    out.first_apart = true;
    out.armed = 1;
    out.first_life = {{"FLASHSALE_RECORDER__ENABLED", "false"},
                      {"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "3600000"}};
    out.variables = {{"FLASHSALE_RECOVERY__LEASE_MS", "1000"},
                     {"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "1000"}};
    // While it sleeps it keeps those who ask it, and every second restock. The patient are there
    // still when it wakes.
    out.answer_patience = std::chrono::seconds{3};
    out.patient = 0.5;
    return out;
}

std::size_t rebuilt_by(world& w, std::size_t which) {
    return count_of(" is open, epoch ", w.shop(which)->log());
}

std::uint64_t counter(world& w, std::size_t which, const std::string& name) {
    const std::string line = "\nflashsale_" + name + " ";
    const auto page = http_client(w.port(which)).get("/metrics").body;
    const auto at = page.find(line);
    if (at == std::string::npos) throw std::runtime_error("no metric " + name);
    return number_in(std::string_view(page).substr(at + line.size()));
}

/// While the gate's answer is held back the process lets all who ask it wait; they asked when the
/// log could be reached, and are granted when it cannot.
void grant_and_lose_the_log(world& w) {
    constexpr std::uint64_t many = 10;
    constexpr auto others_come = std::chrono::milliseconds{400};
    const auto disconnects = [&] { return counter(w, 0, "amqp_disconnects_total"); };
    w.own().redis.hold_replies(true);
    auto restocked = std::async(std::launch::async, [&w, id = scarce_product(w)] {
        return http_client(w.port(0))
            .post("/v1/products/" + id + "/restock",
                  std::string_view(R"({"quantity":)" + std::to_string(units_granted_at_once) + "}"),
                  {{"Idempotency-Key", "many"}})
            .status;
    });
    w.until("units for many", [&] {
        return w.place().number(sandbox::database::stock,
                                "SELECT count(*) FROM movements WHERE idempotency_key = 'many'") >
               0;
    });
    w.wait(others_come);
    const auto lost = disconnects(), granted = granted_there(w);
    w.own().rabbitmq.close();
    w.until("a connection lost", [&] { return disconnects() > lost; });
    w.own().redis.hold_replies(false);
    w.until("many orders granted", [&] { return granted_there(w) >= granted + many; });
    if (restocked.get() != 200) throw std::runtime_error("no units for many");
}

void sell_out(world& w) {
    http_client client(w.port(1));
    const auto page = "/v1/products/" + scarce_product(w);
    w.until("a product sold out", [&] {
        const auto got = client.get(page);
        return got.status == 200 && got.body.find("\"available\":0") != std::string::npos;
    });
}

void fail_over(world& w, second_redis& replica) {
    w.redis().close();
    replica.ask({"REPLICAOF", "NO", "ONE"});
    w.redis().retarget(replica.port());
    w.fault();
}

first_gate::first_gate(world& w)
    : w_(w), granted_(granted_there(w)), returned_(counter(w, 0, "amqp_returned_total")) {}

void first_gate::sell_from_both() {
    // What comes back to a process hurries its reconciler. Where the other one has not kept its
    // lease, that rebuilds, and publishes what its own gate had granted meanwhile: it comes behind
    // a fence.
    w_.may_park_late();
    w_.until("a grant of the gate that was replaced", [&] {
        return granted_there(w_) > granted_ || counter(w_, 0, "amqp_returned_total") > returned_;
    });
    w_.sell(15);
    w_.join();
}

no_reconciling::no_reconciling(world& w)
    : url_(w.place().url(sandbox::database::stock)), holding_([this] {
          run_sql(url_,
                  "DO $$ BEGIN PERFORM FROM shards FOR UPDATE; FOR i IN 1..3000 LOOP"
                  " EXIT WHEN EXISTS (SELECT FROM pg_class WHERE relname = 'sold');"
                  " PERFORM pg_sleep(0.02); END LOOP; END $$");
      }) {}

no_reconciling::~no_reconciling() {
    run_sql(url_, "CREATE TABLE sold ()");
    holding_.join();
}

}  // namespace flashsale::test
