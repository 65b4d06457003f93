// Everything at once, and what clients do.

#include <random>

#include "cell.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;

void cut_all(world& w) {
    std::minstd_rand random(static_cast<unsigned>(w.seed()));
    std::vector<fault_proxy*> all{&w.redis(), &w.rabbitmq(), &w.postgres()};
    for (int i = 0; i < 3; ++i) {
        std::shuffle(all.begin(), all.end(), random);
        for (auto* one : all)
            one->close();
        w.fault(3);
        w.wait(1500ms);
        for (auto* one : all) {
            one->heal();
            w.wait(std::chrono::milliseconds(random() % 700));
        }
        w.sell(50);
    }
}

void silence_all(world& w) {
    for (auto* one : {&w.redis(), &w.rabbitmq(), &w.postgres()})
        one->black_hole(true);
    w.fault(3);
    w.wait(7s);
    for (auto* one : {&w.postgres(), &w.redis(), &w.rabbitmq()}) {
        one->heal();
        w.wait(300ms);
    }
}

void just_sell(world& w) {
    w.fault();
    w.sell(1'500);
}

/// Each order is answered a hundred times.
void sell_to_twins(world& w) {
    w.fault();
    w.sell(8'000);
}

world_options hang_ups() {
    world_options out;
    out.hang_ups = 0.2;
    return out;
}

world_options twins() {
    world_options out;
    out.twins = 1.0;
    return out;
}

world_options hundred_twins() {
    world_options out;
    out.users = 10;
    out.twins = 1.0;
    out.twins_each = 99;
    return out;
}

world_options crush() {
    world_options out;
    out.users = 1'000;
    out.think = 30ms;
    return out;
}

}  // namespace

std::vector<cell> network_cells() {
    return {
        {"all three cut at once, healed in random order", cut_all},
        {"all three silent for 7 s", silence_all},
    };
}

std::vector<cell> client_cells() {
    return {
        {"clients: 20% are gone before the answer", just_sell, hang_ups()},
        {"clients: every order twice at once, to two processes", just_sell, twins()},
        {"clients: 100 twins of every order at once, to two processes", sell_to_twins,
         hundred_twins()},
        {"clients: ten times the load, with retries", just_sell, crush()},
    };
}

}  // namespace flashsale::test
