#include <filesystem>
#include <fstream>
#include <iostream>

#include "commands/command.hpp"
#include "report/json_text.hpp"
#include "report/report.hpp"
#include "load/rush.hpp"
#include "site/workplace_options.hpp"

namespace flashsale::bench {

namespace {

constexpr const char* description =
    "All measurements, each as a ratio to a limit measured in the same run, and whether the bars\n"
    "hold. Takes a quarter of an hour; bench/README.md says how to read it.";

constexpr const char* rule =
    "Exit codes:\n"
    "  0  all bars hold (with --smoke: all sums do)\n"
    "  1  a bar does not hold; or the sums do not, and then no speed is printed\n"
    "  2  wrong usage\n"
    "  3  a server cannot be reached, or refused to be measured";

void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream out{file};
    out << text;
    if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace

void add_report(CLI::App& app, action& chosen) {
    struct arguments {
        bool smoke = false;
        bool json_only = false;
        std::string out = ".";
        std::vector<std::string> only;
    };
    auto* command = app.add_subcommand("report", description);
    command->footer(rule);
    const auto where = add_workplace_options(*command);
    const auto given = std::make_shared<arguments>();
    command->add_option("--out", given->out, "Folder for report.json and report.svg")
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
    command->add_option("--only", given->only, "Sections to measure, instead of all; for tuning")
        ->check(CLI::IsMember{
            std::vector<std::string>{section_names().begin(), section_names().end()}});
    command->add_flag("--smoke", given->smoke, "Everything once, and briefly; no bar counts");
    command->add_flag("--json", given->json_only, "Print the JSON alone");
    command->callback([where, given, &chosen] {
        chosen = [where, given]() -> int {
            progress_line progress;
            bench_run run{where(), given->smoke ? report_sizes::smoke() : report_sizes{}, progress};
            const auto report = make_report(run, given->only);
            const auto json = to_text(report_json(report));
            const std::filesystem::path out{given->out};
            write(out / "report.json", json + "\n");
            write(out / "report.svg", report_svg(report));
            if (given->json_only) {
                std::cout << json << std::endl;
            } else {
                std::cout << report_text(report) << "\nwritten: " << (out / "report.json").string()
                          << ", " << (out / "report.svg").string() << std::endl;
            }
            return all_hold(report.bars) || given->smoke ? exit_holds : exit_sums_fail;
        };
    });
}

}  // namespace flashsale::bench
