#include <cstdio>

#include <flashsale/app.hpp>
#include <flashsale/recovery/rebuilder.hpp>
#include <flashsale/recovery/record_check.hpp>

#include "commands.hpp"
#include "log_output.hpp"
#include "probe.hpp"
#include "recovery_ports.hpp"
#include "site.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

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

int rebuild(const site& at, const rebuild_request& asked) {
    const config& settings = at.settings;
    const auto running = at.rebuild(asked.shard);
    const recovery::ports uses = running->ports();
    const auto number = static_cast<std::uint32_t>(asked.shard);
    stock::gate_admin& gate = *uses.gates[number];
    const auto until = steady::now() + ms_of(settings.process.start_timeout_ms);
    while (!gate.ready() && steady::now() < until)
        uses.timing.pause(10ms);

    if (!asked.accept_record) {
        const auto found = recovery::check_and_hold(
            {gate, uses.registry, uses.products, uses.order_database, number, at.can.shards,
             [] { return std::expected<void, std::string>{}; }});
        if (!found)
            throw unavailable_error("whether the record has what the gate of shard " +
                                    std::to_string(number) +
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
        throw unavailable_error("shard " + std::to_string(number) + " is not rebuilt: " +
                                result.error() + "; its gate is closed, do it again");
    std::printf(
        "shard %u is open, epoch %llu: %zu products, %zu orders, %zu parked, "
        "%zu reductions; %zu events published again, %zu movements mended; %lld ms\n",
        number, static_cast<unsigned long long>(result->epoch), result->products, result->orders,
        result->parked, result->reductions, result->survivors, result->mended,
        static_cast<long long>(result->took.count()));
    return exit_ok;
}

}  // namespace flashsale::app
