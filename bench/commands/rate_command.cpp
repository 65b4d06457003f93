#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "commands/command.hpp"
#include "commands/targets.hpp"
#include "record/find_record.hpp"
#include "load/rate.hpp"

namespace flashsale::bench {

namespace {

constexpr const char* description =
    "Orders at a fixed rate, whatever the server makes of them: latencies count from the moment "
    "at\n"
    "which a request should have been sent.";

constexpr const char* rule =
    "Exit codes:\n"
    "  0  the sums hold\n"
    "  1  they do not\n"
    "  2  wrong usage\n"
    "  3  the server or a database cannot be reached\n"
    "  4  the generator itself was late: no percentiles\n"
    "\n"
    "The last line on stdout is one JSON object.";

struct arguments {
    rate_options rate;
    std::string config;
    std::vector<std::string> urls{"http://127.0.0.1:8080"};
    double seconds = 10;
    double warm_up = 1;
    std::int64_t lag_max_ms = lag_p99_max_default.count();
};

int run(arguments& given) {
    if (!read_targets(given.urls, given.rate.loop.load.targets)) return exit_usage;
    const auto in_ms = [](double seconds) {
        return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1'000)};
    };
    given.rate.loop.length = in_ms(given.seconds);
    given.rate.loop.warm_up = in_ms(given.warm_up);
    given.rate.lag_p99_max = std::chrono::milliseconds{given.lag_max_ms};
    std::unique_ptr<record_source> databases;
    try {
        databases = find_record(given.config);
    } catch (const std::exception& fault) {
        std::cerr << "flashsale-bench: " << fault.what() << "\n";
        return exit_usage;
    }
    return run_rate(given.rate, *databases, std::cout, std::cerr);
}

}  // namespace

void add_rate(CLI::App& app, action& chosen) {
    const auto given = std::make_shared<arguments>();
    auto& rate = given->rate;
    auto* command = app.add_subcommand("rate", description);
    command->footer(rule);
    command
        ->add_option("--config", given->config,
                     "flashsale's configuration, for postgres.stock_url and .order_url, or for "
                     "sqlite.folder with stock.gate memory; the environment's FLASHSALE_… win")
        ->check(CLI::ExistingFile);
    command
        ->add_option("--url", given->urls, "Server; several times: connections are spread over all")
        ->capture_default_str();
    command->add_option("--rate", rate.loop.per_second, "Requests per second")
        ->check(CLI::Range(1.0, 1'000'000.0))
        ->capture_default_str();
    command->add_option("--seconds", given->seconds, "How long, after the warm-up")
        ->check(CLI::Range(0.1, 3'600.0))
        ->capture_default_str();
    command->add_option("--warm-up", given->warm_up, "Seconds that are not counted")
        ->check(CLI::Range(0.0, 600.0))
        ->capture_default_str();
    command
        ->add_option("--refused-percent", rate.refused_percent,
                     "Share of the requests that ask for a sold-out product")
        ->check(CLI::Range(0, 100))
        ->capture_default_str();
    command->add_option("--users", rate.users, "Users to create")
        ->check(CLI::Range(1, 10'000'000))
        ->capture_default_str();
    command->add_option("--connections", rate.loop.load.connections, "Keep-alive connections")
        ->check(CLI::Range(1, 20'000))
        ->capture_default_str();
    command
        ->add_option(
            "--lag-max-ms", given->lag_max_ms,
            "A generator later than this in one request of a hundred prints no percentiles")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    command->add_flag("--json", rate.json_only, "Print the JSON line alone");
    command->callback([given, &chosen] { chosen = [given] { return run(*given); }; });
}

}  // namespace flashsale::bench
