#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "limits/bare_server.hpp"
#include "commands/command.hpp"
#include "load/rush.hpp"

namespace flashsale::bench {

void add_bare(CLI::App& app, action& chosen) {
    struct arguments {
        std::uint16_t port = 0;
        std::size_t answer_bytes = 256;
    };
    const auto given = std::make_shared<arguments>();
    auto* command = app.add_subcommand(
        "bare", "The measure of all servers: Beast, one thread, one constant answer to everything");
    command->add_option("--port", given->port, "0: any free one; the first line says which")
        ->capture_default_str();
    command
        ->add_option("--answer-bytes", given->answer_bytes,
                     "Length of the answer in all, head and body")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command->callback([given, &chosen] {
        chosen = [given] {
            run_bare_server(given->port, given->answer_bytes, [](std::uint16_t port) {
                std::printf("listening on http://127.0.0.1:%u\n", port);
                std::fflush(stdout);
            });
            return exit_holds;
        };
    });
}

}  // namespace flashsale::bench
