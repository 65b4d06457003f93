// What a pass of the reconciler does about a gate that may not be the newest, and about the gate's
// way into the log.

#include <spdlog/spdlog.h>

#include <flashsale/base/fault_points.hpp>

#include <flashsale/recovery/record_check.hpp>
#include "metrics.hpp"
#include "reconciler.hpp"

namespace flashsale::recovery {

/// A gate that is not the one that the database has is being replaced, or was, and does not know
/// it: it is on a server that was cut off, or the configuration points to a place that is
/// another's. What it holds proves nothing, and it is asked for nothing more.
bool reconciler::is_newest(shard& of, const stock::shard_state& known,
                           const stock::gate::levels& gate) {
    if (faults::without(faults::guard::newest_gate)) return true;
    if (gate.epoch == known.epoch) return true;
    if (gate.epoch > known.epoch) {
        // It was asked after the database: it may have been opened in between.
        const auto again = uses_.registry.read(of.number);
        if (!again || gate.epoch <= again->epoch) return false;
        uses_.epochs.shut_out(of.number, gate.token);
        of.fault = older_text(of.number, gate.epoch, *again);
        cannot(of, *of.fault);
        return false;
    }
    // It is being replaced, and will be closed or shut out in a moment.
    if (known.what == stock::shard_state::phase::rebuilding) return false;
    uses_.epochs.shut_out(of.number, gate.token);
    of.fault = "the gate of shard " + std::to_string(of.number) + " is of epoch " +
               std::to_string(gate.epoch) + ", the stock database knows of " +
               std::to_string(known.epoch) + ": this process is at another place than others";
    cannot(of, *of.fault);
    return false;
}

/// False: not in this pass. A token that was lost is not bound again: a process that reads that it
/// is the newest, sleeps, and binds it then would take a later rebuild's fence down. Another is
/// bound, and counts only if the database still says, by then, that no rebuild has begun.
bool reconciler::has_a_way(shard& of, const stock::shard_state& known) {
    const auto renewed = [&](const uuid& token) {
        const auto done = uses_.gates[of.number]->attempt(of.epoch, token)->renew(of.token);
        if (!done) {
            cannot(of, done.error());
        } else if (*done) {
            uses_.epochs.saw(of.number, token);  // orders need not wait for the next look
            uses_.epochs.note_newest_token(of.number, of.epoch, token);
        }
        return false;
    };
    // Noted, and then its process died.
    if (known.token != of.token) return renewed(known.token);
    if (!uses_.epochs.is_shut_out(of.number)) return true;

    if (faults::without(faults::guard::one_binder)) {
        (void)uses_.log.bind(of.token);
        return true;
    }
    const uuid fresh = uses_.make_id(of.number);
    if (const auto bound = uses_.log.bind(fresh); !bound) {
        cannot(of, "log: " + bound.error());
        return false;
    }
    const auto noted = uses_.registry.replace_token(of.number, of.epoch, of.token, fresh);
    if (!noted) {
        warn(of, noted.error());  // it may be noted: then its binding is needed
        return false;
    }
    if (!*noted) {
        (void)uses_.log.unbind(std::span(&fresh, 1));
        return false;
    }
    spdlog::warn(
        "reconciler: the log had lost the events of shard {}, or their way into it: they have "
        "another",
        of.number);
    metrics::tokens_renewed.add();
    return renewed(fresh);
}

/// What a mender would do that there is none of.
void reconciler::rebind(const shard& of) {
    if (faults::without(faults::guard::one_binder)) (void)uses_.log.bind(of.token);
}

}  // namespace flashsale::recovery
