// The fault matrix: each cell is a sale on which something is done, and the arithmetic after it.
// Prints a row a run; exits 1 if one is red, or if a control is green.

#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "cell.hpp"
#include "chosen_stack.hpp"

using namespace flashsale::test;

namespace {

constexpr const char* row_format = "%-58s %6s %8s %7s %4s %7s %8s %6s %10s  %s\n";

void print_header() {
    std::printf(row_format, "cell", "faults", "accepted", "unknown", "lost", "doubled", "oversold",
                "leaked", "restored", "");
    std::fflush(stdout);
}

void print_row(const std::string& name, const verdict& found, const char* judgement) {
    const auto text = [](auto number) { return std::to_string(number); };
    std::printf(row_format, name.c_str(), text(found.faults).c_str(), text(found.accepted).c_str(),
                text(found.unknown).c_str(), text(found.lost).c_str(), text(found.doubled).c_str(),
                text(found.oversold).c_str(), text(found.leaked).c_str(),
                (text(found.restored.count()) + " ms").c_str(), judgement);
    std::fflush(stdout);
}

/// What the processes said, for a look into a red cell.
void keep_logs(const std::string& name, const std::string& logs) {
    const char* folder = std::getenv("FLASHSALE_FAULTS_LOGS");
    if (folder == nullptr) return;
    std::string file = name;
    for (char& c : file) {
        if (c == ' ' || c == '/' || c == ':') c = '-';
    }
    std::ofstream(std::string(folder) + "/" + file + ".log") << logs;
}

verdict run(const cell& one, std::uint64_t seed, const std::string& without) {
    const bool special = one.crash_points || !without.empty();
    if (special) ::setenv("FLASHSALE_UNDER_TEST", FLASHSALE_WITH_CRASH_POINTS, 1);
    world_options options = one.options;
    options.seed = seed;
    if (!without.empty()) options.without.push_back(without);
    verdict found;
    try {
        world stage(std::move(options));
        try {
            one.fault(stage);
            found.struck = true;
            found = stage.close();
            found.struck = true;
        } catch (const std::exception& why) {
            found.complaints.push_back(why.what());
        }
        if (!found.green() || !without.empty()) keep_logs(one.name, stage.logs());
    } catch (const std::exception& why) {
        found.complaints.push_back(why.what());
    }
    if (special) ::unsetenv("FLASHSALE_UNDER_TEST");
    using enum stack::server;
    for (const auto server : {redis, rabbitmq, postgres}) {
        if (one.damages.contains(server)) {
            stack::restart_empty(server);
        } else {
            stack::start(server);
        }
    }
    return found;
}

std::vector<cell> all_cells() {
    std::vector<cell> all;
    for (auto group :
         {process_cells, redis_cells, loss_cells, memory_cells, fence_cells, fence_stall_cells,
          rabbitmq_cells, postgres_cells, recorder_cells, lease_cells, life_cells, hold_cells,
          payment_cells, network_cells, client_cells}) {
        for (cell& one : group())
            all.push_back(std::move(one));
    }
    return all;
}

bool matches(const std::string& pattern, const std::string& name) {
    return pattern.empty() || pattern == name || ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

}  // namespace

int main(int argc, char** argv) {
    choose_stack();
    CLI::App cli("Kills, stops, cuts and empties each part of a sale, and adds up afterwards.");
    std::uint64_t seeds = 1, seed = 1;
    std::string only;
    bool with_controls = false, list = false;
    cli.add_option("--seeds", seeds, "runs of each cell");
    cli.add_option("--seed", seed, "of the first run");
    cli.add_option("--only", only, "cells with this name, or that this pattern fits");
    cli.add_flag("--controls", with_controls, "guards left out: those cells must be red");
    cli.add_flag("--list", list, "names of the cells, and of the controls");
    CLI11_PARSE(cli, argc, argv);

    const auto cells = all_cells();
    if (list) {
        for (const auto& one : cells)
            std::printf("%s\n", one.name.c_str());
        for (const auto& one : controls())
            std::printf("without %s: %s\n", one.guard.c_str(), one.cell.c_str());
        return 0;
    }
    std::size_t runs = 0, wrong = 0;
    print_header();
    for (const auto& one : cells) {
        if (with_controls || !matches(only, one.name)) continue;
        for (std::uint64_t i = 0; i < seeds; ++i) {
            const auto found = run(one, seed + i, "");
            print_row(one.name, found, found.green() ? "ok" : "RED");
            for (const auto& why : found.complaints)
                std::printf("    seed %lu: %s\n", seed + i, why.c_str());
            ++runs;
            wrong += !found.green();
        }
    }
    for (const auto& [guard, name] : controls()) {
        const std::string title = "without " + guard + ": " + name;
        if (!with_controls || !(matches(only, guard) || matches(only, title))) continue;
        const auto of = std::ranges::find(cells, name, &cell::name);
        if (of == cells.end()) {
            std::printf("no cell '%s'\n", name.c_str());
            return 2;
        }
        const auto found = run(*of, seed, guard);
        // Red for a promise that was broken, not for a fault that could not be brought about.
        const bool seen = !found.green() && found.struck;
        print_row(title, found, seen ? "red, as it must be" : "NOT SEEN, and must be red");
        for (const auto& why : found.complaints)
            std::printf("    %s\n", seen ? why.substr(0, why.find('\n')).c_str() : why.c_str());
        ++runs;
        wrong += !seen;
    }
    if (runs == 0) {
        std::printf("no cell fits '%s'\n", only.c_str());
        return 2;
    }
    std::printf("%zu runs, %zu not as they must be\n", runs, wrong);
    return wrong == 0 ? 0 : 1;
}
