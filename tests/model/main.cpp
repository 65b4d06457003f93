// model: the protocol as a simulation; see README.md beside this file.

#include <CLI/CLI.hpp>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <optional>

#include "guards.hpp"
#include "process.hpp"
#include "redis/redis_scripts.hpp"
#include "world.hpp"

namespace {

using namespace flashsale::model;

double machine_seconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Of seeds.
struct choice {
    guard without = guard::none;
    int plan = -1;
    int life_percent = 50;
};

struct finding {
    std::uint64_t seed = 0;
    std::string broken;
};

/// Runs seeds from `first` until one breaks a promise, `count` are run or `seconds` have passed.
std::optional<finding> search(std::uint64_t first, std::uint64_t count, double seconds,
                              const choice& of, std::uint64_t& run) {
    const double until = machine_seconds() + seconds;
    for (run = 0; run < count; ++run) {
        if (run % 16 == 0 && machine_seconds() > until) break;
        world one(first + run, of.without, of.plan, of.life_percent, false);
        std::string broken = one.run();
        if (!broken.empty()) {
            ++run;
            return finding{first + run - 1, std::move(broken)};
        }
    }
    return std::nullopt;
}

/// What a process logs is a line of the history.
class history_sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
    void sink_it_(const spdlog::details::log_msg& line) override {
        world* const in = world::current();
        if (!in) return;
        const bool of_a_fiber = fiber::current() != nullptr;
        in->tell(of_a_fiber ? process::of_current_fiber().name : "a process", "says: {}",
                 std::string_view(line.payload.data(), line.payload.size()));
    }
    void flush_() override {}
};

std::string replay(std::uint64_t seed, const choice& of) {
    world one(seed, of.without, of.plan, of.life_percent, true);
    spdlog::set_level(spdlog::level::info);
    const std::string broken = one.run();
    spdlog::set_level(spdlog::level::off);
    return one.history() + (broken.empty() ? "every promise was kept\n" : broken);
}

/// A guard that no longer is where the model looks for it would be a control that cannot fail.
bool guard_is_there(guard without) {
    if (!is_of_scripts(without)) return true;
    const auto& all = flashsale::stock::scripts();
    return std::ranges::any_of(
        std::initializer_list<std::string_view>{all.reserve.source(), all.give.source(),
                                                all.open.source(), all.inspect.source()},
        [&](std::string_view source) {
            return script_without(without, std::string(source)) != source;
        });
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Runs the order protocol under simulated faults, one run a seed.");
    std::uint64_t first = 1, count = 1'000'000'000;
    std::optional<std::uint64_t> seed;
    double minutes = 1e9;
    std::string without_name;
    choice of;
    std::optional<int> life_percent;
    bool must_break = false;
    app.add_option("--seed", seed, "replay one seed and print its history");
    app.add_option("--from", first, "the first seed");
    app.add_option("--seeds", count, "how many seeds");
    app.add_option("--minutes", minutes, "stop after so long");
    app.add_option("--without", without_name, "take this guard out of the protocol");
    app.add_option("--plan", of.plan, "this plan of faults.cpp for every seed, counted from 0");
    app.add_option("--life", life_percent,
                   "the percentage of seeds in which orders are held, paid for and cancelled");
    app.add_flag("--must-break", must_break, "succeed only if a promise breaks");
    CLI11_PARSE(app, argc, argv);
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("run", std::make_shared<history_sink>()));
    spdlog::set_level(spdlog::level::off);

    if (!without_name.empty()) {
        const auto known = guard_of(without_name);
        if (!known) {
            std::cerr << "no guard '" << without_name << "'; there are:";
            for (const guard one : all_guards())
                std::cerr << ' ' << name_of(one);
            std::cerr << '\n';
            return 2;
        }
        of.without = *known;
        of.life_percent = is_of_life(*known) ? 100 : 0;
    }
    of.life_percent = life_percent.value_or(of.life_percent);
    if (!guard_is_there(of.without)) {
        std::cerr << "guard '" << without_name << "' is not in the scripts any more\n";
        return 2;
    }
    if (seed) {
        std::cout << replay(*seed, of);
        return 0;
    }
    const double began = machine_seconds();
    std::uint64_t run = 0;
    const auto found = search(first, count, minutes * 60, of, run);
    const double took = machine_seconds() - began;
    if (found) {
        std::cout << "seed " << found->seed << " (after " << run << " runs):\n" << found->broken;
        if (!must_break) std::cout << "\n" << replay(found->seed, of);
    }
    std::cout << run << " seeds in " << fmt::format("{:.1f}", took) << " s, "
              << fmt::format("{:.0f}", static_cast<double>(run) / took)
              << " a second: " << (found ? "a promise broke" : "every promise was kept") << "\n";
    return found.has_value() == must_break ? 0 : 1;
}
