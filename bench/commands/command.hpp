#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace flashsale::bench {

/// What main runs once the command line is read; its result is the exit code (rush.hpp).
using action = std::function<int()>;

// One for each subcommand, in a file of its own: declares it, and sets `chosen` when it is given.
void add_bare(CLI::App& app, action& chosen);
void add_compare(CLI::App& app, action& chosen);
void add_holds(CLI::App& app, action& chosen);
void add_instructions(CLI::App& app, action& chosen);
void add_limits(CLI::App& app, action& chosen);
void add_rate(CLI::App& app, action& chosen);
void add_report(CLI::App& app, action& chosen);
void add_rush(CLI::App& app, action& chosen);
void add_soak(CLI::App& app, action& chosen);

}  // namespace flashsale::bench
