#include <boost/json.hpp>
#include <iostream>

#include "commands/command.hpp"
#include "report/json_text.hpp"
#include "load/rush.hpp"
#include "report/sections.hpp"
#include "site/workplace_options.hpp"

namespace flashsale::bench {

void add_compare(CLI::App& app, action& chosen) {
    struct arguments {
        std::vector<std::string> gates{"database", "redis", "memory"};
        compare_sizes sizes;
        bool json_only = false;
    };
    auto* command = app.add_subcommand(
        "compare", "The same sale through each gate: why the stock left the database");
    const auto where = add_workplace_options(*command);
    const auto given = std::make_shared<arguments>();
    auto& sizes = given->sizes;
    command->add_option("--gate", given->gates, "Gates, by their names in stock.gate")
        ->capture_default_str();
    command->add_option("--stock", sizes.stock, "Units")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}))
        ->capture_default_str();
    command->add_option("--requests", sizes.requests, "Orders to send, each of another user")
        ->check(CLI::Range(1, 10'000'000))
        ->capture_default_str();
    command->add_option("--connections", sizes.connections, "Keep-alive connections")
        ->check(CLI::Range(1, 20'000))
        ->capture_default_str();
    command->add_flag("--json", given->json_only, "Print the JSON line alone");
    command->callback([where, given, &chosen] {
        chosen = [where, given] {
            progress_line progress;
            report_sizes all;
            all.users = given->sizes.requests;
            bench_run run{where(), all, progress};
            std::vector<gate_row> rows;
            for (const auto& gate : given->gates)
                rows.push_back(sell_through(run, gate, given->sizes));
            if (!given->json_only) std::cout << gates_table(rows, given->sizes) << "\n";
            std::cout << to_text(boost::json::object{{"gates", gates_json(rows)}}) << std::endl;
            return exit_holds;
        };
    });
}

}  // namespace flashsale::bench
