#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "commands/command.hpp"
#include "commands/targets.hpp"
#include "record/find_record.hpp"
#include "load/rush.hpp"

namespace flashsale::bench {

namespace {

constexpr const char* description =
    "A flash sale from beginning to end: users, products, a crowd that asks for more than there "
    "is,\n"
    "the wait until the databases have it all, and the sums over the databases.";

constexpr const char* rule =
    "Exit codes:\n"
    "  0  the sums hold: oversold, lost, duplicated, phantom, limit_exceeded, stray_movements and\n"
    "     unbalanced are 0; unknown is 0 (or --allow-unknown); and accepted is what this crowd "
    "can\n"
    "     have, for every product its stock or what the limit per user allows, whichever is less\n"
    "     (with --allow-unsold it may be fewer, never more)\n"
    "  1  they do not; the report says which\n"
    "  2  wrong usage\n"
    "  3  the server or a database cannot be reached, or refuses users or products\n"
    "\n"
    "The last line on stdout is one JSON object.";

struct arguments {
    rush_options rush;
    std::string config;
    std::vector<std::string> urls{"http://127.0.0.1:8080"};
    std::uint64_t answer_timeout_ms = 10'000;
    std::uint64_t storing_max_s = 30;
};

int run(arguments& given) {
    if (!read_targets(given.urls, given.rush.load.targets)) return exit_usage;
    given.rush.load.answer_timeout = std::chrono::milliseconds{given.answer_timeout_ms};
    given.rush.storing_max = std::chrono::seconds{given.storing_max_s};
    std::unique_ptr<record_source> databases;
    try {
        databases = find_record(given.config);
    } catch (const std::exception& fault) {
        std::cerr << "flashsale-bench: " << fault.what() << "\n";
        return exit_usage;
    }
    return run_rush(given.rush, *databases, std::cout, std::cerr);
}

}  // namespace

void add_rush(CLI::App& app, action& chosen) {
    const auto given = std::make_shared<arguments>();
    auto& rush = given->rush;
    auto* command = app.add_subcommand("rush", description);
    command->footer(rule);
    command
        ->add_option("--config", given->config,
                     "flashsale's configuration, for postgres.stock_url and .order_url, or for "
                     "sqlite.folder with stock.gate memory; the environment's FLASHSALE_… win")
        ->check(CLI::ExistingFile);
    command
        ->add_option("--url", given->urls, "Server; several times: connections are spread over all")
        ->capture_default_str();
    command->add_option("--stock", rush.stock, "Units, spread evenly over the products")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}))
        ->capture_default_str();
    command->add_option("--users", rush.users, "Users to create")
        ->check(CLI::Range(1, 10'000'000))
        ->capture_default_str();
    command
        ->add_option("--requests", rush.requests,
                     "Orders to send, each with a key of its own, spread evenly over the users")
        ->check(CLI::Range(1, 100'000'000))
        ->capture_default_str();
    command->add_option("--limit", rush.per_user_limit, "Purchase limit per user; 0: none")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
    command->add_option("--products", rush.products, "Products on sale")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    command->add_option("--connections", rush.load.connections, "Keep-alive connections")
        ->check(CLI::Range(1, 20'000))
        ->capture_default_str();
    command
        ->add_option("--retries", rush.load.retries,
                     "Further tries, same key, after an unknown outcome or a 503")
        ->check(CLI::Range(0, 1'000))
        ->capture_default_str();
    command
        ->add_option("--answer-timeout-ms", given->answer_timeout_ms,
                     "Without an answer for so long, a try's outcome is unknown")
        ->check(CLI::Range(1, 600'000))
        ->capture_default_str();
    command
        ->add_option("--storing-max-s", given->storing_max_s,
                     "Longest wait for the databases after the last answer")
        ->check(CLI::Range(1, 3'600))
        ->capture_default_str();
    command->add_option("--seed", rush.seed, "Of the order in which users come")
        ->capture_default_str();
    command->add_flag("--allow-unsold", rush.allow_unsold,
                      "Units left over are no failure (the database gate, a sale with faults)");
    command->add_flag("--allow-unknown", rush.allow_unknown,
                      "Unknown outcomes are no failure (a sale with faults)");
    command->add_flag("--json", rush.json_only, "Print the JSON line alone");
    command->callback([given, &chosen] { chosen = [given] { return run(*given); }; });
}

}  // namespace flashsale::bench
