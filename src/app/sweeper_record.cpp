// What a pass of the sweep does about a record that may be behind its gate (record_check.hpp). It
// reads all orders, so not at each pass: when the lease was taken, when a database's session was
// lost and is back, and before a gate is rebuilt from the record.

#include <spdlog/spdlog.h>

#include <flashsale/base/fault_points.hpp>

#include "metrics.hpp"
#include "record_check.hpp"
#include "sweeper.hpp"

namespace flashsale::app {

using steady = std::chrono::steady_clock;

/// The database may have become another while its session was lost.
void sweeper::note_sessions(shard& of, bool just_taken) {
    const std::uint64_t now = stock_database_.connections() + order_database_.connections();
    if (std::exchange(of.sessions, now) != now || just_taken) of.record_due = true;
}

/// Keeps the lease meanwhile, as far as it can.
stock::breath sweeper::breathe_for(shard& of) {
    return [this, &of, renewed = steady::now()]() mutable -> std::expected<void, std::string> {
        if (stopping_) return std::unexpected("stopping");
        const auto time = ms_of(settings_.recovery.lease_ms);
        if (steady::now() < renewed + time / 3) return {};
        renewed = steady::now();
        const auto mine = stock::lease_shard(stock_database_, of.number, holder_, time, false);
        if (mine && !*mine) return std::unexpected("the lease is another's");
        return {};
    };
}

/// nullopt: it cannot be told now, `why` says so. Acts on what it finds.
std::optional<bool> sweeper::check_record_of(shard& of, std::string& why) {
    const auto options = redis_gate_options(settings_, deployment_);
    bool newly = false;
    const auto found =
        check_and_hold({io_, *access_.clients()[of.number], stock_database_, order_database_,
                        options, of.number, generations_.shards(), breathe_for(of)},
                       &newly);
    note_sessions(of, false);
    if (!found) {
        of.record_from = steady::now() + of.record_pause.next();
        why = found.error();
        return std::nullopt;
    }
    of.record_due = false;
    if (found->what == record_verdict::kind::whole) {
        of.record_pause.reset();
        of.record_from = {};
        if (!found->header || found->header->held.empty()) return true;
        const auto released =
            stock::release_gate(io_, *access_.clients()[of.number], of.number,
                                found->header->generation, found->header->accepted, options);
        if (!released || !*released) {
            why = released ? "its gate was replaced" : released.error();
            return std::nullopt;
        }
        spdlog::warn("sweep: the record of shard {} is not behind its gate any more", of.number);
        return true;
    }
    of.record_from = steady::now() + of.record_pause.next();
    const bool older = found->what == record_verdict::kind::older;
    if (older) generations_.shut_out(of.number, found->header->token);
    of.fault = older ? found->why : behind_text(of.number, found->why);
    if (newly) {
        metrics::gates_shut.add();
        spdlog::error("sweep: {}", *of.fault);
    } else if (older) {
        warn(of, *of.fault);
    }
    return false;
}

/// An open gate. False: it is open no more, or is asked for nothing more.
bool sweeper::is_known_to_record(shard& of) {
    if (!uses_redis(settings_) || !of.record_due || steady::now() < of.record_from) return true;
    std::string why;
    const auto whole = check_record_of(of, why);
    if (!whole) warn(of, "the record cannot be compared with the gate: " + why);
    if (whole.value_or(true)) return true;
    of.outbox = outbox_sweep(ms_of(settings_.recovery.barrier_patience_ms));
    return false;
}

/// A closed gate. Until the record is known to have all that it granted, it is not rebuilt.
bool sweeper::may_be_rebuilt(shard& of, const std::optional<server_look>& look) {
    if (!uses_redis(settings_)) return true;
    const auto* header = look && look->header ? &*look->header : nullptr;
    const bool held = header && !header->held.empty();
    if (held) of.fault = behind_text(of.number, header->held);
    const bool rebuilds =
        settings_.recovery.reopen_automatically && steady::now() >= of.reopen_from;
    if (!held && !of.record_due && !rebuilds) return !of.record_behind;
    if (steady::now() < of.record_from) return false;
    std::string why;
    const auto whole = check_record_of(of, why);
    of.record_behind = whole == false;
    if (whole) return *whole;
    const std::string what = "shard " + std::to_string(of.number) +
                             " is not reopened: whether its record is behind its gate cannot be "
                             "told: " +
                             why;
    if (!of.fault) of.fault = what;
    cannot(of, what);
    return false;
}

/// Without the lease, and no gate open that is the record's: what can be told of it all the same.
void sweeper::tell_of_record(shard& of) {
    const auto header = stock::read_gate_header(io_, *access_.clients()[of.number], of.number,
                                                redis_gate_options(settings_, deployment_));
    if (!header || !*header || !(*header)->is_of(deployment_)) return;
    const stock::gate_header& gate = **header;
    if (!gate.held.empty()) of.fault = behind_text(of.number, gate.held);
    // After the gate, which is opened behind the database.
    const auto known = stock::read_shard(stock_database_, of.number);
    if (!known || gate.accepted || !older_than_its_gate(gate, *known)) return;
    generations_.shut_out(of.number, gate.token);
    of.fault = older_text(of.number, gate.generation, *known);
    warn(of, *of.fault);
}

}  // namespace flashsale::app
