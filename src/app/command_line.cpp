#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include <flashsale/app.hpp>

#include "commands.hpp"
#include "log_output.hpp"
#include "probe.hpp"

namespace flashsale::app {

namespace {

constexpr const char* footer =
    "Every key of the configuration can be overridden by the environment: redis.url by\n"
    "FLASHSALE_REDIS__URL.\n\n"
    "Exit codes: 0 all is well; 1 an audit or a health check says no, a parked event cannot be\n"
    "decided about so, a record is behind its gate, or a deployment's value cannot be changed "
    "now;\n"
    "2 the command line or the configuration is wrong; 3 a server that is needed does not answer,\n"
    "another process has the data folder, a database's schema is not this version's, or standard\n"
    "output does not take what there is to say; 4 an error of the program itself.";

void set_up_log(const config& settings) {
    auto logger = std::make_shared<spdlog::logger>("flashsale", make_log_sink());
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    logger->set_level(spdlog::level::from_str(settings.log.level));
    spdlog::set_default_logger(std::move(logger));
}

int guarded(const std::function<int()>& command) {
    try {
        const int code = command();
        // A closed pipe ends no process; so the exit code has to tell that the output was lost.
        if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
        complain("standard output does not take what there is to say");
        return code == exit_ok ? exit_unavailable : code;
    } catch (const config_error& error) {
        complain(error.what());
        return exit_usage;
    } catch (const unavailable_error& error) {
        complain(error.what());
        return exit_unavailable;
    } catch (const std::runtime_error& error) {
        // Of the modules' start-up: a database that refuses what this process stands for.
        complain(error.what());
        return exit_unavailable;
    } catch (const std::exception& error) {
        complain(std::string("internal error: ") + error.what());
        return exit_internal;
    }
}

}  // namespace

int run(int argc, char** argv) {
    prepare_outputs();
    CLI::App cli("Sells a small stock to a huge crowd: never more than there is, never less.",
                 "flashsale");
    cli.footer(footer);
    cli.set_version_flag("--version", "flashsale " FLASHSALE_VERSION);
    cli.require_subcommand(1);

    std::string config_path;
    const auto with_config = [&](CLI::App* command) {
        command->add_option(
            "--config", config_path,
            "the configuration file; without one: embedded, with its data in ./flashsale-data, and "
            "what the environment says");
        return command;
    };
    auto* serve_command = with_config(cli.add_subcommand(
        "serve", "serve the HTTP API and record orders, until SIGTERM or SIGINT"));
    auto* migrate_command = with_config(cli.add_subcommand(
        "migrate",
        "create the databases where they are missing, and bring their schemas up to date"));
    bool force = false;
    migrate_command->add_flag("--force", force,
                              "apply what is to be applied though something is connected to the "
                              "stock database: only if none of it is a flashsale that serves");

    audit_request audit_asked;
    auto* audit_command = with_config(cli.add_subcommand(
        "audit",
        "prove from the databases and the gate that nothing was lost, doubled or oversold"));
    audit_command->add_flag("--json", audit_asked.json, "print one JSON object");
    audit_command
        ->add_option("--wait", audit_asked.wait_s, "seconds to wait for the backlog to be recorded")
        ->check(CLI::Range(0.0, 3'600.0));
    audit_command
        ->add_option("--watch", audit_asked.watch_s,
                     "audit again every so many seconds, until a sum does not hold")
        ->check(CLI::Range(0.1, 3'600.0));

    rebuild_request rebuild_asked;
    auto* rebuild_command = with_config(cli.add_subcommand(
        "rebuild", "rebuild the gate of a shard from the record, whether it is closed or not"));
    rebuild_command
        ->add_option("--shard", rebuild_asked.shard, "which one: 0 is the first of redis.url")
        ->required();
    rebuild_command->add_flag(
        "--accept-record", rebuild_asked.accept_record,
        "though the record is behind its gate, as after a restore from an older backup: sells "
        "again what it does not know to be sold");

    parked_request parked_asked;
    auto* parked_command =
        cli.add_subcommand("parked", "see, and decide about, events that were set aside");
    parked_command->require_subcommand(1);
    const auto add_parked = [&](const char* name, const char* what) {
        auto* command = with_config(parked_command->add_subcommand(name, what));
        command->callback([&parked_asked, name] { parked_asked.action = name; });
        return command;
    };
    add_parked("list", "one line for each")
        ->add_flag("--dropped", parked_asked.dropped_too, "those that were dropped too");
    for (const auto& [name, what] :
         {std::pair{"show", "one of them, with its event"},
          std::pair{"retry", "record it; or, if it holds no units, ask the gate for it again"},
          std::pair{"drop",
                    "it will never be an order; the units that it holds are given again"}}) {
        add_parked(name, what)
            ->add_option("id", parked_asked.id, "as `parked list` prints it")
            ->required();
    }

    deployment_request deployment_asked;
    auto* deployment_command = cli.add_subcommand(
        "deployment", "see, and change, what all processes on the same servers must agree on");
    deployment_command->require_subcommand(1);
    const auto add_deployment = [&](const char* name, const char* what) {
        auto* command = with_config(deployment_command->add_subcommand(name, what));
        command->callback([&deployment_asked, name] { deployment_asked.action = name; });
        return command;
    };
    add_deployment("show", "one line for each");
    auto* set_command = add_deployment("set", "another value, while no process runs");
    set_command->add_option("name", deployment_asked.name, "as `deployment show` prints it")
        ->required();
    set_command->add_option("value", deployment_asked.value, "the new one")->required();

    bool print_schema = false;
    auto* check_command = cli.add_subcommand(
        "check-config", "check a configuration file, and the environment over it");
    with_config(check_command);
    auto* checked_config = check_command->get_option("--config");
    check_command->add_flag("--schema", print_schema, "print the configuration's JSON Schema")
        ->excludes(checked_config);

    std::string url;
    bool live = false;
    auto* health_command = cli.add_subcommand(
        "healthcheck", "ask a running process whether it is ready: exit 0 if it is, else 1");
    auto* health_config = with_config(health_command)->get_option("--config");
    health_command
        ->add_option(
            "--url", url,
            "where it listens, as `serve` prints it: http://host:port or http://[address]:port")
        ->excludes(health_config);
    health_command->add_flag("--live", live, "ask only whether it is alive");

    try {
        cli.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return cli.exit(error) == 0 ? exit_ok : exit_usage;
    }

    return guarded([&]() -> int {
        if (check_command->parsed()) {
            if (print_schema) {
                std::fputs(config_json_schema().c_str(), stdout);
            } else {
                read_config_or_builtin(config_path);
            }
            return exit_ok;
        }
        if (health_command->parsed()) {
            return healthcheck(url.empty() ? read_config_or_builtin(config_path) : config{}, url,
                               live);
        }
        const auto at = make_site(read_config_or_builtin(config_path));
        set_up_log(at->settings);
        if (config_path.empty() && serve_command->parsed())
            spdlog::info("no --config: {}", at->in_words());
        if (serve_command->parsed()) return serve(*at, config_path);
        if (migrate_command->parsed()) return migrate(*at, force);
        if (audit_command->parsed()) return run_audit(*at, audit_asked);
        if (parked_command->parsed()) return parked(*at, parked_asked);
        if (deployment_command->parsed()) return deployment(*at, deployment_asked);
        if (rebuild_command->parsed()) return rebuild(*at, rebuild_asked);
        return exit_usage;
    });
}

}  // namespace flashsale::app
