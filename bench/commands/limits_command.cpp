#include <boost/json.hpp>
#include <iostream>

#include "commands/command.hpp"
#include "report/json_text.hpp"
#include "limits/limits.hpp"
#include "load/rush.hpp"
#include "site/workplace_options.hpp"

namespace flashsale::bench {

void add_limits(CLI::App& app, action& chosen) {
    auto* command = app.add_subcommand(
        "limits",
        "What this machine can do: HTTP, Redis, RabbitMQ, PostgreSQL and the disk, one at a time");
    const auto where = add_workplace_options(*command);
    const auto json_only = std::make_shared<bool>(false);
    command->add_flag("--json", *json_only, "Print the JSON line alone");
    command->callback([where, json_only, &chosen] {
        chosen = [where, json_only] {
            progress_line progress;
            const auto rows = measure_limits(where(), {}, progress);
            if (!*json_only) std::cout << limits_table(rows) << "\n";
            std::cout << to_text(boost::json::object{{"limits", limits_json(rows)}}) << std::endl;
            return exit_holds;
        };
    });
}

}  // namespace flashsale::bench
