#include <iostream>

#include "command.hpp"
#include "json_text.hpp"
#include "rush.hpp"
#include "sections.hpp"
#include "workplace_options.hpp"

namespace flashsale::bench {

void add_report(CLI::App& app, action& chosen) {
    auto* command = app.add_subcommand("report", "All measurements, and whether the bars hold");
    const auto where = add_workplace_options(*command);
    const auto smoke = std::make_shared<bool>(false);
    command->add_flag("--smoke", *smoke, "Everything once, and briefly; no bar counts");
    command->callback([where, smoke, &chosen] {
        chosen = [where, smoke]() -> int {
            progress_line progress;
            const bench_run run{where(), *smoke ? report_sizes::smoke() : report_sizes{}, progress};
            std::vector<bar> bars;
            try {
                bars.push_back(measure_refusals(run));
                std::cerr << bars_table({bars.back()}) << costs_table({bars.back()});
                bars.push_back(measure_accepted(run, 512, 0.40));
                std::cerr << bars_table({bars.back()}) << costs_table({bars.back()});
                bars.push_back(measure_accepted(run, 64, 0.20));
                std::cerr << bars_table({bars.back()}) << costs_table({bars.back()});
                bars.push_back(measure_stored(run));
                std::cerr << bars_table({bars.back()}) << costs_table({bars.back()});
                bars.push_back(measure_many_products(run));
                std::cerr << bars_table({bars.back()}) << costs_table({bars.back()});
                bars.push_back(measure_crowd(run));
                std::cerr << bars_table({bars.back()}) << costs_table({bars.back()});
            } catch (const sums_fail& fault) {
                std::cerr << "flashsale-bench: " << fault.what() << "\n";
                return exit_sums_fail;
            }
            std::cout << bars_table(bars) << costs_table(bars);
            return all_hold(bars) || *smoke ? exit_holds : exit_sums_fail;
        };
    });
}

}  // namespace flashsale::bench
