// The record has one writer at a time. It is cut off from where it writes, alone; and what it is to
// write was dated by a clock that is wrong.

#include <deque>

#include "cell.hpp"
#include "faked_clock.hpp"
#include "http_client.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using database = sandbox::database;

constexpr auto takeover_limit = 40s;
constexpr auto readiness_limit = 60s;
constexpr auto return_limit = 120s;

std::int64_t metric(world& w, std::size_t which, const std::string& name) {
    const std::string all = http_client(w.port(which)).get("/metrics").body;
    const auto at = all.find("\nflashsale_" + name + " ");
    if (at == std::string::npos) throw std::runtime_error("no metric " + name);
    return std::stoll(all.substr(all.find(' ', at)));
}

std::int64_t recorded_by(world& w, std::size_t which) {
    return metric(w, which, "recorder_events_total");
}

/// Looks again and again, while the sale goes on.
bool soon(world& w, std::chrono::milliseconds most, const std::function<bool()>& condition) {
    const auto end = steady::now() + most;
    while (!condition()) {
        if (steady::now() > end) return false;
        w.wait(100ms);
    }
    return true;
}

/// Process 0, which was there first, records; `cut` takes its way to PostgreSQL, and only that.
void cut_off(world& w, const std::function<void(fault_proxy&)>& cut) {
    w.until("orders recorded by the first process", [&] { return recorded_by(w, 0) > 0; });
    const auto before = recorded_by(w, 1);
    std::string unready;
    const auto healthy = [&] {
        const auto answer = http_client(w.port(1)).get("/readyz");
        if (answer.status != 200 && unready.empty()) unready = answer.body;
    };
    cut(w.own().postgres);
    w.fault();
    if (!soon(w, takeover_limit, [&] {
            healthy();
            return recorded_by(w, 1) > before;
        }))
        w.complain("nobody took over from the recorder that is cut off");
    if (!soon(w, readiness_limit, [&] {
            healthy();
            const auto answer = http_client(w.port(0)).get("/readyz");
            return answer.status == 503 && answer.body.find("recorder: ") != std::string::npos;
        }))
        w.complain("the process that is cut off calls itself ready");
    if (!unready.empty()) w.complain("the healthy process was called unready: " + unready);
    w.own().postgres.heal();
    if (!soon(w, return_limit, [&] { return http_client(w.port(0)).get("/readyz").status == 200; }))
        w.complain("healed, the process does not become ready again");
}

void refused(world& w) {
    cut_off(w, [](fault_proxy& way) { way.close(); });
}

void silent(world& w) {
    cut_off(w, [](fault_proxy& way) { way.black_hole(true); });
}

world_options first_apart() {
    world_options out;
    out.first_apart = true;
    return out;
}

// ---- a clock that is wrong

constexpr std::chrono::milliseconds lag_max = 2s;
/// For a machine that has much other work: a batch, a rest and a look are a second and a half, and
/// with a load of fourteen on two cores 8 s were once not enough.
constexpr std::chrono::milliseconds slack = 16s;

/// The process whose clock is right records, and rests for as long as it may.
void clock_ahead(world& w) {
    w.until("an order through the process with the wrong clock",
            [&] { return metric(w, 0, "reservations_accepted_total") > 0; });
    if (w.place().number(database::order,
                         "SELECT count(*) FROM orders WHERE created_at > now() + interval "
                         "'50 minutes'") != 0)
        w.complain("an order is dated by a clock that is ahead, and not by the gate's");
    w.fault();
    const std::string header = "{" + w.place().name() + ":0}:gate";
    std::deque<std::pair<steady::time_point, std::int64_t>> granted;
    std::int64_t behind = 0;
    const auto end = steady::now() + 40s;
    while (steady::now() < end) {
        const auto asked = steady::now();
        granted.emplace_back(asked, std::stoll(stack::redis_cli({"--raw", "HGET", header, "seq"})));
        const auto recorded = w.place().number(database::order, "SELECT count(*) FROM orders");
        while (granted.size() > 1 && asked - granted[1].first > lag_max + slack)
            granted.pop_front();
        if (asked - granted.front().first > lag_max + slack)
            behind = std::max(behind, granted.front().second - recorded);
        w.wait(250ms);
    }
    if (behind > 0) {
        w.complain(std::to_string(behind) + " orders were not recorded " +
                   std::to_string((lag_max + slack).count()) + " ms after they were granted");
    }
}

world_options ahead() {
    world_options out;
    out.armed = 1;
    out.think = 100ms;
    out.first_life = wall_clock_off("+1h");
    out.first_life["FLASHSALE_RECORDER__ENABLED"] = "false";
    out.variables = {{"FLASHSALE_RECORDER__PACING_PERCENT", "10000"},
                     {"FLASHSALE_RECORDER__MESSAGES_PER_BATCH_MAX", "4"},
                     {"FLASHSALE_RECORDER__PACING_LAG_MAX_MS", std::to_string(lag_max.count())}};
    return out;
}

}  // namespace

std::vector<cell> recorder_cells() {
    return {
        {"recorder: the active one alone cut off from PostgreSQL, refused", refused, first_apart()},
        {"recorder: the active one alone cut off from PostgreSQL, silent", silent, first_apart()},
        {"recorder: a process with its clock an hour ahead", clock_ahead, ahead()},
    };
}

}  // namespace flashsale::test
