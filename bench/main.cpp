#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "commands/command.hpp"
#include "load/rush.hpp"
#include "site/sale_site.hpp"

namespace {

/// A connection is a descriptor; the default limit of 1,024 is less than what can be asked for.
void raise_descriptor_limit() {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

int main(int argc, char** argv) {
    using namespace flashsale::bench;
    CLI::App app{"Load for flashsale, and sums over its databases", "flashsale-bench"};
    app.require_subcommand(1);
    action chosen;
    add_bare(app, chosen);
    add_compare(app, chosen);
    add_holds(app, chosen);
    add_instructions(app, chosen);
    add_limits(app, chosen);
    add_rate(app, chosen);
    add_report(app, chosen);
    add_rush(app, chosen);
    add_soak(app, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& fault) {
        return app.exit(fault) == 0 ? exit_holds : exit_usage;
    }
    raise_descriptor_limit();
    // The modules that limits drives talk of their connections.
    spdlog::set_level(spdlog::level::warn);
    try {
        return chosen();
    } catch (const sums_fail& fault) {
        std::cerr << "flashsale-bench: " << fault.what() << "\n";
        return exit_sums_fail;
    } catch (const std::exception& fault) {
        std::cerr << "flashsale-bench: " << fault.what() << "\n";
        return exit_unreachable;
    }
}
