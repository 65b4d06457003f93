#include <cstdio>
#include <thread>

#include <flashsale/app.hpp>

#include "commands.hpp"
#include "gate_access.hpp"
#include "log_output.hpp"
#include "probe.hpp"
#include "record_check.hpp"
#include "reopener.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// Ends with its scope, whatever happens.
struct running_log {
    running_log(const config& settings, const std::string& deployment)
        : log(events::make_amqp_log(amqp_options(settings, deployment))) {
        require_log(settings, *log);
        log->start();
        const auto until = steady::now() + ms_of(settings.process.start_timeout_ms);
        while (log->state() != events::log_state::up && steady::now() < until)
            std::this_thread::sleep_for(10ms);
        if (log->state() == events::log_state::up) return;
        const std::string why = log->fault();
        log->stop(0ms);
        throw unavailable_error(not_answering("RabbitMQ", "amqp.url", settings.amqp.url, why));
    }
    ~running_log() { log->stop(1s); }

    std::unique_ptr<events::log> log;
};

struct running_gate {
    running_gate(const config& settings, stock::shard_generations& generations)
        : access(io, settings, generations) {
        access.start();
    }
    ~running_gate() {
        access.stop();
        io.restart();
        io.poll();
    }

    asio::io_context io;
    gate_access access;
};

/// With the lease.
void accept_record(const reopener_dependencies& uses, std::uint32_t shard, const uuid& holder,
                   const stock::redis_gate_options& options) {
    const auto header = stock::read_gate_header(uses.io, uses.gate_server, shard, options);
    if (!header) throw unavailable_error(header.error());
    if (!*header || !(*header)->is_of(uses.deployment)) return;
    const auto accepted =
        stock::release_gate(uses.io, uses.gate_server, shard, (*header)->generation, true, options);
    if (!accepted) throw unavailable_error(accepted.error());
    if (!*accepted) throw unavailable_error("the gate was replaced meanwhile: do it again");
    const auto noted = stock::note_unknown_gate(uses.stock_database, shard, holder,
                                                (*header)->generation, (*header)->token);
    if (!noted) throw unavailable_error(noted.error());
    if (!*noted) throw unavailable_error("the lease is another's: do it again");
}

}  // namespace

int reopen(const config& settings, const reopen_request& asked) {
    const std::int64_t shard = asked.shard;
    if (is_embedded(settings))
        throw config_error(
            "reopen: the embedded gate is made from the record by each start of `flashsale serve`");
    if (!uses_redis(settings))
        throw config_error("reopen: the database gate is its own record, and needs no reopening");
    if (shard < 0 || shard >= shards_of(settings))
        throw config_error("reopen: --shard: expected 0 to " +
                           std::to_string(shards_of(settings) - 1));
    require_schemas(settings);
    auto stock_database =
        open_session(settings, "stock", "postgres.stock_url", settings.postgres.stock_url);
    auto order_database =
        open_session(settings, "order", "postgres.order_url", settings.postgres.order_url);
    // The confirm deadline that is waited for must be the one that orders are answered by.
    const std::string deployment =
        stock::agree_on_deployment(stock_database, deployment_of(settings));

    stock::shard_generations generations(shards_of(settings));
    running_log log(settings, deployment);
    running_gate gate(settings, generations);
    const auto number = static_cast<std::uint32_t>(shard);
    redis::client& server = *gate.access.clients()[number];
    const auto until = steady::now() + ms_of(settings.process.start_timeout_ms);
    while (!server.ready() && steady::now() < until) {
        gate.io.restart();
        gate.io.run_for(10ms);
    }

    const auto options = redis_gate_options(settings, deployment);
    if (!asked.accept_record) {
        const auto found = check_and_hold({gate.io, server, stock_database, order_database, options,
                                           number, shards_of(settings),
                                           [] { return std::expected<void, std::string>{}; }});
        if (!found)
            throw unavailable_error("whether the record has what the gate of shard " +
                                    std::to_string(shard) +
                                    " has granted cannot be told: " + found.error());
        if (found->what != record_verdict::kind::whole) {
            complain(found->what == record_verdict::kind::older ? found->why
                                                                : behind_text(number, found->why));
            return exit_does_not_hold;
        }
        if (found->header && !found->header->held.empty())
            (void)stock::release_gate(gate.io, server, number, found->header->generation, false,
                                      options);
    }

    event_publisher publisher(gate.io, *log.log, [] { return false; });
    const uuid holder = uuid_generator().make();
    const auto lease =
        stock::lease_shard(stock_database, number, holder, ms_of(settings.recovery.lease_ms), true);
    if (!lease) throw unavailable_error(lease.error());
    const reopener_dependencies uses{settings,       gate.io,        server,
                                     stock_database, order_database, *log.log,
                                     publisher,      deployment,     [] { return false; }};
    if (asked.accept_record) accept_record(uses, number, holder, options);
    const auto result = reopen(uses, number, shards_of(settings), holder);
    (void)stock::release_shard(stock_database, number, holder);
    if (!result)
        throw unavailable_error("shard " + std::to_string(shard) + " is not reopened: " +
                                result.error() + "; its gate is closed, do it again");
    std::printf(
        "shard %lld is open, generation %llu: %zu products, %zu orders, %zu parked, "
        "%zu reductions; %zu events published again, %zu movements mended; %lld ms\n",
        static_cast<long long>(shard), static_cast<unsigned long long>(result->generation),
        result->products, result->orders, result->parked, result->reductions, result->survivors,
        result->mended, static_cast<long long>(result->took.count()));
    return exit_ok;
}

}  // namespace flashsale::app
