#include <cstdio>
#include <thread>

#include <flashsale/app.hpp>
#include <flashsale/recovery/rebuilder.hpp>
#include <flashsale/recovery/record_check.hpp>

#include "commands.hpp"
#include "log_output.hpp"
#include "probe.hpp"
#include "recovery_ports.hpp"

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

/// Likewise.
struct running_ports {
    template <class... Arguments>
    explicit running_ports(Arguments&&... arguments)
        : ports(std::forward<Arguments>(arguments)...) {
        ports.start(0ms);
    }
    ~running_ports() { ports.stop(); }

    recovery_ports ports;
};

/// With the lease.
void accept_record(const recovery::ports& uses, std::uint32_t shard, const uuid& holder) {
    stock::gate_admin& gate = *uses.gates[shard];
    const auto header = gate.read_header();
    if (!header) throw unavailable_error(header.error());
    if (!*header || !gate.is_ours(**header)) return;
    const auto accepted = gate.release((*header)->epoch, true);
    if (!accepted) throw unavailable_error(accepted.error());
    if (!*accepted) throw unavailable_error("the gate was replaced meanwhile: do it again");
    const auto noted =
        uses.registry.note_unknown_gate(shard, holder, (*header)->epoch, (*header)->token);
    if (!noted) throw unavailable_error(noted.error());
    if (!*noted) throw unavailable_error("the lease is another's: do it again");
}

}  // namespace

int rebuild(const config& settings, const rebuild_request& asked) {
    const std::int64_t shard = asked.shard;
    if (is_embedded(settings))
        throw config_error(
            "rebuild: the embedded gate is made from the record by each start of `flashsale "
            "serve`");
    if (!uses_redis(settings))
        throw config_error("rebuild: the database gate is its own record, and needs no rebuild");
    if (shard < 0 || shard >= shards_of(settings))
        throw config_error("rebuild: --shard: expected 0 to " +
                           std::to_string(shards_of(settings) - 1));
    require_schemas(settings);
    auto stock_database =
        open_session(settings, "stock", "postgres.stock_url", settings.postgres.stock_url);
    auto order_database =
        open_session(settings, "order", "postgres.order_url", settings.postgres.order_url);
    // The confirm deadline that is waited for must be the one that orders are answered by.
    const std::string deployment =
        stock::agree_on_deployment(stock_database, deployment_of(settings));

    stock::shard_epochs epochs(shards_of(settings));
    running_log log(settings, deployment);
    running_ports running(settings, epochs, *log.log, deployment, stock_database, order_database,
                          [] { return false; });
    const recovery::ports uses = running.ports.all();
    const auto number = static_cast<std::uint32_t>(shard);
    stock::gate_admin& gate = *uses.gates[number];
    const auto until = steady::now() + ms_of(settings.process.start_timeout_ms);
    while (!gate.ready() && steady::now() < until)
        uses.timing.pause(10ms);

    if (!asked.accept_record) {
        const auto found = recovery::check_and_hold(
            {gate, uses.registry, uses.products, uses.order_database, number, shards_of(settings),
             [] { return std::expected<void, std::string>{}; }});
        if (!found)
            throw unavailable_error("whether the record has what the gate of shard " +
                                    std::to_string(shard) +
                                    " has granted cannot be told: " + found.error());
        if (found->what != recovery::record_verdict::kind::whole) {
            complain(found->what == recovery::record_verdict::kind::older
                         ? found->why
                         : recovery::behind_text(number, found->why));
            return exit_does_not_hold;
        }
        if (found->header && !found->header->held.empty())
            (void)gate.release(found->header->epoch, false);
    }

    const uuid holder = uuid_generator().make();
    const auto lease = uses.registry.lease(number, holder, ms_of(settings.recovery.lease_ms), true);
    if (!lease) throw unavailable_error(lease.error());
    if (asked.accept_record) accept_record(uses, number, holder);
    const auto result = recovery::rebuild(uses, recovery_options(settings), number, holder);
    (void)uses.registry.release(number, holder);
    if (!result)
        throw unavailable_error("shard " + std::to_string(shard) + " is not rebuilt: " +
                                result.error() + "; its gate is closed, do it again");
    std::printf(
        "shard %lld is open, epoch %llu: %zu products, %zu orders, %zu parked, "
        "%zu reductions; %zu events published again, %zu movements mended; %lld ms\n",
        static_cast<long long>(shard), static_cast<unsigned long long>(result->epoch),
        result->products, result->orders, result->parked, result->reductions, result->survivors,
        result->mended, static_cast<long long>(result->took.count()));
    return exit_ok;
}

}  // namespace flashsale::app
