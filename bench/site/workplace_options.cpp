#include "site/workplace_options.hpp"

#include <filesystem>

#include "site/sale_site.hpp"

namespace flashsale::bench {

std::function<workplace()> add_workplace_options(CLI::App& command) {
    const auto given = std::make_shared<workplace>();
    given->config = "config/stack.json";
    given->flashsale = (std::filesystem::path{own_path()}.parent_path() / "flashsale").string();
    command
        .add_option(
            "--config", given->config,
            "flashsale's configuration; the environment's FLASHSALE_… win. Only the servers "
            "are taken from it, or the place of the data folder: databases, keys, queues and "
            "folders are made for each measurement")
        ->check(CLI::ExistingFile)
        ->capture_default_str();
    command
        .add_option("--flashsale", given->flashsale,
                    "The program to measure (default: the one beside this)")
        ->check(CLI::ExistingFile);
    return [given] {
        given->folder = find_data_folder(given->config, process_environment);
        if (!given->folder) given->servers = find_servers(given->config, process_environment);
        return *given;
    };
}

}  // namespace flashsale::bench
