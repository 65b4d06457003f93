#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "commands/command.hpp"
#include "commands/targets.hpp"
#include "load/holds.hpp"
#include "record/find_record.hpp"

namespace flashsale::bench {

namespace {

constexpr const char* description =
    "A flash sale of held orders: a third of the users pays for its orders, a third cancels the\n"
    "first one, a third lets it expire; what comes back is sold again, until every unit is paid\n"
    "for. Then the wait until the databases have it all, and the sums over the databases.";

constexpr const char* rule =
    "Exit codes:\n"
    "  0  every unit is paid for, and the sums hold: oversold, lost, duplicated, phantom,\n"
    "     limit_exceeded, stray_movements, unbalanced, parked, unknown, unfinished, misreported,\n"
    "     unreturned, mispaid and misbalanced are 0\n"
    "  1  they do not, or the time was over; the report says which\n"
    "  2  wrong usage\n"
    "  3  the server or a database cannot be reached, or refuses users or products\n"
    "\n"
    "The last line on stdout is one JSON object.";

struct arguments {
    holds_options holds;
    std::string config;
    std::vector<std::string> urls{"http://127.0.0.1:8080"};
    std::uint64_t answer_timeout_ms = 10'000;
    std::int64_t payment_window_s = 3;
    std::uint64_t selling_max_s = 60;
    std::uint64_t storing_max_s = 30;
};

int run(arguments& given) {
    auto& holds = given.holds;
    const auto users = static_cast<std::int64_t>(holds.users);
    if (holds.per_user_limit > 0 && users * holds.per_user_limit < holds.stock) {
        std::cerr << "flashsale-bench: " << users << " users of " << holds.per_user_limit
                  << " units each cannot buy " << holds.stock << "\n";
        return exit_usage;
    }
    if (!read_targets(given.urls, holds.load.targets)) return exit_usage;
    holds.load.answer_timeout = std::chrono::milliseconds{given.answer_timeout_ms};
    holds.payment_window = std::chrono::seconds{given.payment_window_s};
    holds.selling_max = std::chrono::seconds{given.selling_max_s};
    holds.storing_max = std::chrono::seconds{given.storing_max_s};
    std::unique_ptr<record_source> databases;
    std::unique_ptr<life_source> lives;
    try {
        databases = find_record(given.config);
        lives = find_lives(given.config);
    } catch (const std::exception& fault) {
        std::cerr << "flashsale-bench: " << fault.what() << "\n";
        return exit_usage;
    }
    return run_holds(holds, *databases, *lives, std::cout, std::cerr);
}

}  // namespace

void add_holds(CLI::App& app, action& chosen) {
    const auto given = std::make_shared<arguments>();
    auto& holds = given->holds;
    auto* command = app.add_subcommand("holds", description);
    command->footer(rule);
    command
        ->add_option("--config", given->config,
                     "flashsale's configuration, for postgres.user_url, .stock_url and .order_url, "
                     "or for sqlite.folder with stock.gate memory; the environment's FLASHSALE_… "
                     "win")
        ->check(CLI::ExistingFile);
    command
        ->add_option("--url", given->urls, "Server; several times: connections are spread over all")
        ->capture_default_str();
    command->add_option("--stock", holds.stock, "Units of the one product")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}))
        ->capture_default_str();
    command->add_option("--users", holds.users, "Users to create; they ask in turn, on and on")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command
        ->add_option("--limit", holds.per_user_limit,
                     "Purchase limit per user, of units held or paid for; 0: none")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
    command
        ->add_option("--payment-window-s", given->payment_window_s,
                     "For how long units are held until they are paid for")
        ->check(CLI::Range(1, 604'800))
        ->capture_default_str();
    command->add_option("--connections", holds.load.connections, "Keep-alive connections")
        ->check(CLI::Range(1, 20'000))
        ->capture_default_str();
    command
        ->add_option("--answer-timeout-ms", given->answer_timeout_ms,
                     "Without an answer for so long, a try's outcome is unknown, and it is tried "
                     "again with the same key")
        ->check(CLI::Range(1, 600'000))
        ->capture_default_str();
    command
        ->add_option("--selling-max-s", given->selling_max_s,
                     "Longest time until every unit is paid for")
        ->check(CLI::Range(1, 3'600))
        ->capture_default_str();
    command
        ->add_option("--storing-max-s", given->storing_max_s,
                     "Longest wait for the databases after the last answer")
        ->check(CLI::Range(1, 3'600))
        ->capture_default_str();
    command->add_flag("--json", holds.json_only, "Print the JSON line alone");
    command->callback([given, &chosen] { chosen = [given] { return run(*given); }; });
}

}  // namespace flashsale::bench
