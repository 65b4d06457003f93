#include <cstdio>
#include <thread>

#include <flashsale/app.hpp>

#include "commands.hpp"
#include "gate_access.hpp"
#include "probe.hpp"
#include "reopener.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// Ends with its scope, whatever happens.
struct running_log {
    explicit running_log(const config& settings)
        : log(events::make_amqp_log(amqp_options(settings))) {
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

}  // namespace

int reopen(const config& settings, std::int64_t shard) {
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
    stock::check_deployment(stock_database, deployment_of(settings));

    stock::shard_generations generations(shards_of(settings));
    running_log log(settings);
    running_gate gate(settings, generations);
    const auto number = static_cast<std::uint32_t>(shard);
    redis::client& server = *gate.access.clients()[number];
    const auto until = steady::now() + ms_of(settings.process.start_timeout_ms);
    while (!server.ready() && steady::now() < until) {
        gate.io.restart();
        gate.io.run_for(10ms);
    }

    stock::agree_on_deployment(stock_database, deployment_of(settings));
    event_publisher publisher(gate.io, *log.log, [] { return false; });
    const uuid holder = uuid_generator().make();
    const auto lease =
        stock::lease_shard(stock_database, number, holder, ms_of(settings.recovery.lease_ms), true);
    if (!lease) throw unavailable_error(lease.error());
    const auto result = reopen({settings, gate.io, server, stock_database, order_database, *log.log,
                                publisher, [] { return false; }},
                               number, shards_of(settings), holder);
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
