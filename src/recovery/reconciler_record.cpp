// What a pass of the reconciler does about a record that may be behind its gate (record_check.hpp).
// It reads all orders, so not at each pass: when the lease was taken, when a database's session was
// lost and is back, and before a gate is rebuilt from the record.

#include <spdlog/spdlog.h>

#include <flashsale/base/fault_points.hpp>

#include <flashsale/recovery/record_check.hpp>
#include "reconciler.hpp"

namespace flashsale::recovery {

/// The database may have become another while its session was lost.
void reconciler::note_sessions(shard& of, bool just_taken) {
    const std::uint64_t made = uses_.registry.sessions() + uses_.order_database.sessions();
    if (std::exchange(of.sessions, made) != made || just_taken) of.record_due = true;
}

/// Keeps the lease meanwhile, as far as it can.
stock::breath reconciler::breathe_for(shard& of) {
    return [this, &of, renewed = now()]() mutable -> std::expected<void, std::string> {
        if (uses_.timing.stopping()) return std::unexpected("stopping");
        if (now() < renewed + with_.lease / 3) return {};
        renewed = now();
        const auto mine = uses_.registry.lease(of.number, holder_, with_.lease, false);
        if (mine && !*mine) return std::unexpected("the lease is another's");
        return {};
    };
}

/// nullopt: it cannot be told now, `why` says so. Acts on what it finds.
std::optional<bool> reconciler::check_record_of(shard& of, std::string& why) {
    bool newly = false;
    const auto found =
        check_and_hold({*uses_.gates[of.number], uses_.registry, uses_.products,
                        uses_.order_database, of.number, uses_.epochs.shards(), breathe_for(of)},
                       &newly);
    note_sessions(of, false);
    if (!found) {
        of.record_from = now() + of.record_pause.next();
        why = found.error();
        return std::nullopt;
    }
    of.record_due = false;
    if (found->what == record_verdict::kind::whole) {
        of.record_pause.reset();
        of.record_from = {};
        if (!found->header || found->header->held.empty()) return true;
        const auto released =
            uses_.gates[of.number]->release(found->header->epoch, found->header->accepted);
        if (!released || !*released) {
            why = released ? "its gate was replaced" : released.error();
            return std::nullopt;
        }
        spdlog::warn("reconciler: the record of shard {} is not behind its gate any more",
                     of.number);
        return true;
    }
    of.record_from = now() + of.record_pause.next();
    const bool older = found->what == record_verdict::kind::older;
    if (older) uses_.epochs.shut_out(of.number, found->header->token);
    of.fault = older ? found->why : behind_text(of.number, found->why);
    if (newly) {
        spdlog::error("reconciler: {}", *of.fault);
    } else if (older) {
        warn(of, *of.fault);
    }
    return false;
}

/// An open gate. False: it is open no more, or is asked for nothing more.
bool reconciler::is_known_to_record(shard& of) {
    if (!has_gates() || !of.record_due || now() < of.record_from) return true;
    std::string why;
    const auto whole = check_record_of(of, why);
    if (!whole) warn(of, "the record cannot be compared with the gate: " + why);
    if (whole.value_or(true)) return true;
    of.outbox = outbox_reconciliation(with_.barrier_patience);
    return false;
}

/// A closed gate. Until the record is known to have all that it granted, it is not rebuilt.
bool reconciler::may_be_rebuilt(shard& of, const std::optional<server_look>& look) {
    if (!has_gates()) return true;
    const auto* header = look && look->header ? &*look->header : nullptr;
    const bool held = header && !header->held.empty();
    if (held) of.fault = behind_text(of.number, header->held);
    const bool rebuilds = with_.rebuild_automatically && now() >= of.rebuild_from;
    if (!held && !of.record_due && !rebuilds) return !of.record_behind;
    if (now() < of.record_from) return false;
    std::string why;
    const auto whole = check_record_of(of, why);
    of.record_behind = whole == false;
    if (whole) return *whole;
    const std::string what = "shard " + std::to_string(of.number) +
                             " is not rebuilt: whether its record is behind its gate cannot be "
                             "told: " +
                             why;
    if (!of.fault) of.fault = what;
    cannot(of, what);
    return false;
}

/// Without the lease, and no gate open that is the record's: what can be told of it all the same.
void reconciler::tell_of_record(shard& of) {
    stock::gate_admin& server = *uses_.gates[of.number];
    const auto header = server.read_header();
    if (!header || !*header || !server.is_ours(**header)) return;
    const stock::gate_header& gate = **header;
    if (!gate.held.empty()) of.fault = behind_text(of.number, gate.held);
    // After the gate, which is opened behind the database.
    const auto known = uses_.registry.read(of.number);
    if (!known || gate.accepted || !older_than_its_gate(gate, *known)) return;
    uses_.epochs.shut_out(of.number, gate.token);
    of.fault = older_text(of.number, gate.epoch, *known);
    warn(of, *of.fault);
}

}  // namespace flashsale::recovery
