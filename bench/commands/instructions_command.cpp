#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <iostream>
#include <set>

#include "report/bars.hpp"
#include "commands/command.hpp"
#include "site/instructions.hpp"
#include "report/json_text.hpp"
#include "load/rush.hpp"
#include "site/workplace_options.hpp"

namespace flashsale::bench {

namespace {

constexpr const char* description =
    "The server's instructions in user space for an accepted and for a refused order, counted by\n"
    "valgrind's callgrind: what a change costs, whatever else the machine does. bench/README.md\n"
    "says how to read it.";

constexpr const char* rule =
    "Exit codes:\n"
    "  0  counted\n"
    "  1  an order was answered otherwise than expected, or the sums do not hold: no figures\n"
    "  2  wrong usage\n"
    "  3  a server or valgrind cannot be reached\n"
    "\n"
    "The last line on stdout is one JSON object.";

struct arguments {
    counting_options counting;
    std::string out;
    int runs = 1;
    bool json_only = false;
};

std::int64_t per_order(double all, const arguments& given) {
    return std::llround(all / static_cast<double>(given.counting.orders));
}

/// From the lowest to the highest, as a share of the median.
double spread(const std::vector<double>& values) {
    const auto [lowest, highest] = std::ranges::minmax(values);
    return (highest - lowest) / median(values);
}

std::string row(const char* name, const instructions& of, const std::set<std::string>& threads,
                const arguments& given) {
    auto line = fmt::format("  {:<24}{:>10}", name, per_order(sum_of(of), given));
    for (const auto& thread : threads) {
        const auto found = of.find(thread);
        line += fmt::format("{:>14}", found == of.end() ? 0 : per_order(found->second, given));
    }
    return line + "\n";
}

std::string table(const counted_orders& counted, const arguments& given) {
    const auto accepted = counted.accepted();
    std::set<std::string> threads;
    for (const auto* part : {&accepted, &counted.refused}) {
        for (const auto& [thread, count] : *part)
            if (per_order(count, given) > 0) threads.insert(thread);
    }
    auto text = fmt::format("  {:<24}{:>10}", "", "all");
    for (const auto& thread : threads)
        text += fmt::format("{:>14}", thread);
    return text + "\n" + row("accepted", accepted, threads, given) +
           row("  until the last 201", counted.answered, threads, given) +
           row("  recorded thereafter", counted.recorded, threads, given) +
           row("refused", counted.refused, threads, given);
}

/// Which way the refusals went: later versions may know a shorter one.
std::string way(const counted_orders& counted, const arguments& given) {
    if (counted.asked_of_gate == given.counting.orders)
        return "each by the gate, the way of any order";
    if (counted.asked_of_gate == 0) return "each before the gate was asked";
    return fmt::format("{} by the gate, the others before it was asked", counted.asked_of_gate);
}

boost::json::object json_of(const counted_orders& counted, const arguments& given) {
    boost::json::object threads;
    for (const auto& [thread, count] : counted.accepted())
        threads[thread] = per_order(count, given);
    return {{"accepted", per_order(sum_of(counted.accepted()), given)},
            {"answered", per_order(sum_of(counted.answered), given)},
            {"recorded", per_order(sum_of(counted.recorded), given)},
            {"refused", per_order(sum_of(counted.refused), given)},
            {"refused_by_gate", counted.asked_of_gate},
            {"accepted_by_thread", std::move(threads)}};
}

int run(const workplace& where, arguments& given) {
    given.counting.out = given.out;
    const auto& options = given.counting;
    progress_line progress;
    std::vector<double> accepted, refused;
    boost::json::array runs;
    std::string text;
    for (int i = 1; i <= given.runs; ++i) {
        const auto counted = count_instructions(where, options, progress);
        progress.clear();
        accepted.push_back(sum_of(counted.accepted()));
        refused.push_back(sum_of(counted.refused));
        runs.push_back(json_of(counted, given));
        if (i == 1) {
            text = fmt::format(
                "Instructions of the server in user space, per order: {} accepted, then {} "
                "refused;\none connection, {} at a time; {}\n\n{}\n"
                "Refused with out_of_stock, {}.\n",
                options.orders, options.orders, options.pipelined,
                where.folder ? "embedded"
                             : "on servers, which is less steady: the recorder's batches there "
                               "depend on time",
                table(counted, given), way(counted, given));
        }
        if (given.runs > 1) {
            text +=
                fmt::format("{}run {}: accepted {}, refused {}\n", i == 1 ? "\n" : "", i,
                            per_order(accepted.back(), given), per_order(refused.back(), given));
        }
    }
    if (given.runs > 1) {
        text += fmt::format("lowest to highest: accepted {:.2f} %, refused {:.2f} %\n",
                            spread(accepted) * 100, spread(refused) * 100);
    }
    if (!given.json_only) std::cout << text << "\n";
    std::cout << to_text(boost::json::object{{"orders", options.orders},
                                             {"accepted", per_order(median(accepted), given)},
                                             {"refused", per_order(median(refused), given)},
                                             {"accepted_spread", spread(accepted)},
                                             {"refused_spread", spread(refused)},
                                             {"runs", std::move(runs)}})
              << std::endl;
    return exit_holds;
}

}  // namespace

void add_instructions(CLI::App& app, action& chosen) {
    auto* command = app.add_subcommand("instructions", description);
    command->footer(rule);
    const auto where = add_workplace_options(*command);
    const auto given = std::make_shared<arguments>();
    command->add_option("--orders", given->counting.orders, "Accepted, and as many refused")
        ->check(CLI::Range(100, 400'000))
        ->capture_default_str();
    command->add_option("--pipelined", given->counting.pipelined, "Requests sent together")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    command->add_option("--runs", given->runs, "Each with a server of its own; the median counts")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    command
        ->add_option("--out", given->out,
                     "Folder for callgrind's files, for callgrind_annotate: where it is spent")
        ->check(CLI::ExistingDirectory);
    command->add_flag("--json", given->json_only, "Print the JSON line alone");
    command->callback(
        [where, given, &chosen] { chosen = [where, given] { return run(where(), *given); }; });
}

}  // namespace flashsale::bench
