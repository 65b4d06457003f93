// The process dies, sleeps or is asked to go.

#include <flashsale/base/fault_points.hpp>
#include <random>

#include "cell.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;

/// Both processes die at the same place, each at its own time, and come back without the trap.
cell crash_at(faults::place where) {
    const auto place = faults::place_names[static_cast<std::size_t>(where)];
    // The recorder takes far larger bites than the gate.
    const int nth = where >= faults::place::after_deliver ? 8 : 60;
    cell out;
    out.name = "crash at " + std::string(place);
    out.crash_points = true;
    out.options.first_life = {{"FLASHSALE_CRASH", std::string(place) + ":" + std::to_string(nth)}};
    out.fault = [](world& w) {
        w.until("two deaths at the crash point", [&] { return w.crashes() >= 2; });
        w.sell(200);
    };
    return out;
}

void kill_at_random(world& w) {
    std::minstd_rand random(static_cast<unsigned>(w.seed()));
    std::uniform_int_distribution<int> pause(50, 700);
    for (int i = 0; i < 8; ++i) {
        w.wait(std::chrono::milliseconds(pause(random)));
        w.kill(random() % w.processes(), SIGKILL);
        w.fault();
        w.wait(200ms);
    }
}

void terminate_in_turn(world& w) {
    for (std::size_t i = 0; i < w.processes(); ++i) {
        auto* shop = w.shop(i);
        if (shop == nullptr || !shop->running()) throw std::runtime_error("a process is gone");
        const auto code = shop->terminate(60s);
        w.fault();
        if (code != 0) throw std::runtime_error("SIGTERM under load: the exit code is not 0");
        w.sell(200);
    }
}

void stop_for_a_while(world& w) {
    for (std::size_t i = 0; i < w.processes(); ++i) {
        w.kill(i, SIGSTOP);
        w.fault();
        w.wait(4s);  // longer than the confirm deadline
        w.kill(i, SIGCONT);
        w.sell(100);
    }
}

}  // namespace

std::vector<cell> process_cells() {
    std::vector<cell> all;
    // Those of a rebuild come with the cells that bring one about.
    for (std::size_t i = 0; i <= static_cast<std::size_t>(faults::place::before_prune); ++i)
        all.push_back(crash_at(static_cast<faults::place>(i)));
    all.push_back({"SIGKILL at random, two processes", kill_at_random});
    all.push_back({"SIGTERM under load, one after the other", terminate_in_turn});
    all.push_back({"SIGSTOP beyond the confirm deadline, one after the other", stop_for_a_while});
    return all;
}

}  // namespace flashsale::test
