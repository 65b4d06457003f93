// Whether a shard is this process's to look after: its lease is taken, or left to others.

#include <spdlog/spdlog.h>

#include "metrics.hpp"
#include "reconciler.hpp"

namespace flashsale::recovery {

/// A process whose gate is an older one lets others look after the shard: they may have the newest,
/// where this one does not look for it. If the lease is free for as long as a lease lasts, none
/// does, and this gate is as good as any to be loaded again.
bool reconciler::may_take(shard& of) {
    const auto last = uses_.epochs.answer(of.number);
    if (last == stock::gate_answer::open) of.free_since.reset();
    const bool older = last == stock::gate_answer::older && !of.holds;
    if (!older && !of.turn.is_off()) return true;
    const auto known = uses_.registry.read(of.number);
    if (!known) return true;  // the lease will say why
    const auto at = now();
    if (of.turn.is_off()) {
        if (!of.turn.may_return(at, of.off_until_reached && reaches(of), known->leased))
            return false;
        of.turn.returned();
        spdlog::info("reconciler: it would look after shard {} again", of.number);
    }
    if (!older) return true;
    if (known->leased) {
        of.free_since.reset();
        return false;
    }
    if (!of.free_since) of.free_since = at;
    return at - *of.free_since >= with_.lease;
}

/// What another process may be able to.
void reconciler::cannot(shard& of, const std::string& what) {
    of.failure = what;
    warn(of, what);
}

/// The connections stand, as far as is known.
bool reconciler::reaches(const shard& of) const {
    return uses_.log.state() != events::log_state::down &&
           (!has_gates() || uses_.gates[of.number]->ready());
}

/// Behind a pass that began then: whether the lease is kept.
void reconciler::end_turn(shard& of, deadline began) {
    if (!of.holds) return of.turn.lost();
    if (!of.failure && uses_.log.state() == events::log_state::down)
        cannot(of, "log: " + uses_.log.fault());
    if (!of.failure) return of.turn.worked();
    if (!of.turn.failed(began, now())) return;
    // Not released, it runs out: it is not asked for again.
    (void)uses_.registry.release(of.number, holder_);
    of.holds = false;
    of.off_until_reached = !reaches(of);
    of.turn.let_go(now());
    metrics::leases_let_go.add();
    spdlog::warn("reconciler: {}: it lets another process look after shard {}", *of.failure,
                 of.number);
}

}  // namespace flashsale::recovery
