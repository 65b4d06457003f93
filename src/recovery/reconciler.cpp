// One pass over one shard, by the process that has its lease:
//
//   token    the log gives everything back that is published under the gate's: it has lost its
//            data, for no rebuild has begun. The gate gets another
//   trust    what speaks against a gate that answers as if all were well: its server may evict
//            keys, or has; its seq went back; it has taken less than the record (gate_server.hpp).
//            Such a gate is shut, by its header, for every process; the next pass finds it closed
//   record   now and then: whether it has what the gate has granted (record_check.hpp)
//   given    what the stock database gave and the gate does not know of, because the process that
//            was to tell it died, and what products are sold by, likewise: one comparison, a page
//            of products a pass
//   late     events that came behind the barrier of a newer epoch: the gate is asked again
//   outbox   events that no recorder has seen (outbox_reconciliation.hpp)
//
// Each of them is right if another process does it too, and may be cut off anywhere.

#include "reconciler.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/recovery/rebuilder.hpp>

#include "metrics.hpp"

namespace flashsale::recovery {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t products_per_pass = 500;
constexpr std::size_t late_events_per_pass = 500;
constexpr auto publish_patience = 5s;
constexpr auto barrier_long_out = 10s;

}  // namespace

reconciler::reconciler(const ports& uses, const options& with, fault_board& board)
    : uses_(uses), with_(with), board_(board), holder_(uses.make_id(0)) {
    for (std::uint32_t i = 0; i < uses.epochs.shards(); ++i) {
        shards_.emplace_back(i, with.barrier_patience,
                             faults::without(faults::guard::stepping_aside) ? 0ms : with.lease);
    }
    tell();
}

/// The worst first: one line is for all shards.
void reconciler::tell() {
    std::optional<known_fault> found;
    for (const shard& one : shards_) {
        const auto& fault = one.server_fault ? one.server_fault : one.fault;
        if (fault && !(found && found->hinders_orders)) {
            found = known_fault{*fault, true};
        } else if (one.note && !found) {
            found = known_fault{*one.note, false};
        }
    }
    board_.set("reconcile", std::move(found));
}

/// Once a reason, not once a pass.
void reconciler::warn(shard& of, const std::string& what) {
    of.note = what;
    if (what != last_warning_) spdlog::warn("reconciler: {}", what);
    last_warning_ = what;
}

void reconciler::pass() {
    for (shard& one : shards_) {
        if (uses_.timing.stopping()) break;
        one.note.reset();
        if (!one.turn.is_off()) one.failure.reset();
        const auto began = now();
        pass(one);
        end_turn(one, began);
        tell();
    }
}

void reconciler::release() {
    for (const shard& one : shards_) {
        if (database_answers_) (void)uses_.registry.release(one.number, holder_);
    }
}

void reconciler::pass(shard& of) {
    using enum stock::shard_state::phase;
    std::expected<std::optional<stock::shard_state>, std::string> lease;
    if (may_take(of)) {
        lease = uses_.registry.lease(of.number, holder_, with_.lease, false);
    }
    database_answers_ = lease.has_value();
    const bool mine = lease && lease->has_value();
    if (mine) note_sessions(of, !of.holds);
    of.holds = mine;
    if (mine) of.turn.returned();
    if (!mine) {
        if (of.turn.is_off()) {
            of.note = *of.failure;
        } else {
            of.fault.reset();  // it may have passed since
        }
        of.server_fault.reset();
        of.outbox = outbox_reconciliation(with_.barrier_patience);
        of.distrusted = false;
    }
    std::expected<stock::shard_state, std::string> known;
    if (mine) {
        known = **lease;
    } else if (lease) {
        known = uses_.registry.read(of.number);
    } else {
        known = std::unexpected(lease.error());
    }
    if (!known) warn(of, known.error());
    if (known && has_gates() && known->what == never) return tell_of_record(of);
    if (known && has_gates()) look_at_log(of, *known, mine);
    // What the record calls open was loaded: an older gate than that is none.
    if (known && has_gates() && known->what == open && !faults::without(faults::guard::newest_gate))
        uses_.epochs.raise(of.number, known->epoch);

    const auto look = mine ? look_at_server(of) : std::nullopt;
    // Without the lease it rebuilds nothing, but learns of the gate: an order that came
    // would tell, but none is sent to a process that calls itself ready and is not.
    const auto gate = wait_for<std::expected<stock::gate::levels, stock::errc>>(
        [&](auto done) { uses_.gate.read_levels(of.number, {}, std::move(done)); });
    if (!known) return;
    // The database gate is never rebuilt; a gate in Redis that was there before it may have been.
    const bool begun =
        has_gates() && known->what == rebuilding && !faults::without(faults::guard::begun);
    if (gate) of.fault.reset();
    if (gate && has_gates() && !is_newest(of, *known, *gate) && !(mine && begun)) return;
    if (gate) {
        of.epoch = gate->epoch;
        of.token = gate->token;
    }
    if (!mine) {
        // The lease's holder may not have noticed, or may not reach the log itself.
        if (gate && has_gates() && known->what == open && uses_.epochs.is_shut_out(of.number))
            (void)has_a_way(of, *known);
        if (!gate && has_gates()) tell_of_record(of);
        return;
    }
    if (gate && !begun && !of.distrusted) {
        if (has_gates() && !has_a_way(of, *known)) return;
        if (!is_trusted(of, look, *gate) || !is_known_to_record(of)) return;
        return reconcile(of);
    }
    if (!gate && gate.error() != stock::errc::rebuilding)
        return cannot(of, "the gate answers " + std::string(stock::name_of(gate.error())));
    if (of.server_fault) return warn(of, *of.server_fault);
    of.outbox = outbox_reconciliation(with_.barrier_patience);
    if (!may_be_rebuilt(of, look)) return;
    if (with_.rebuild_automatically) return rebuild_gate(of, *known);
    of.fault = "shard " + std::to_string(of.number) +
               " is closed, and recovery.rebuild_automatically is off: flashsale rebuild";
    of.failure = of.fault;  // where it is on, another process rebuilds
}

/// The log's queue may be another one now, which the broker does not tell a consumer: if the gate
/// got another token, and if another process's barrier is long out.
void reconciler::look_at_log(shard& of, const stock::shard_state& known, bool mine) {
    uses_.epochs.note_newest_token(of.number, known.epoch, known.token);
    if (mine || known.what != stock::shard_state::phase::rebuilding) {
        of.rebuild_since.reset();
        return;
    }
    const auto at = now();
    if (!of.rebuild_since) of.rebuild_since = at;
    if (at - *of.rebuild_since < barrier_long_out) return;
    of.rebuild_since = at;
    uses_.epochs.count_log_change();
}

// ---- a gate that is closed

void reconciler::rebuild_gate(shard& of, const stock::shard_state& known) {
    if (now() < of.rebuild_from) {
        of.failure = of.fault;
        return;
    }
    const std::string name = "shard " + std::to_string(of.number);
    if (!of.fault) of.fault = name + " is being rebuilt";
    tell();
    if (known.what == stock::shard_state::phase::open && !of.distrusted) {
        // Loaded, noted, and then its process died before the last step.
        const auto loaded = uses_.gates[of.number]->attempt(known.epoch, known.token);
        const auto opened = loaded->open();
        if (opened && *opened) {
            of.fault.reset();
            return spdlog::info("reconciler: opened shard {}, loaded before", of.number);
        }
    }
    const auto result =
        rebuild(uses_, with_, of.number, holder_, [this] { uses_.epochs.count_log_change(); });
    if (!result) {
        metrics::rebuild_failures.add();
        of.rebuild_from = now() + of.pause.next();
        of.fault = of.failure = name + " is not rebuilt: " + result.error();
        return spdlog::warn("shard {} is not rebuilt: {}", of.number, result.error());
    }
    of.pause.reset();
    of.fault.reset();
    of.distrusted = false;
    uses_.epochs.raise(of.number, result->epoch);
    metrics::rebuilds.add();
    metrics::rebuild_ms.set(result->took.count());
    spdlog::warn(
        "shard {} is open, epoch {}: {} products, {} orders, {} parked, {} reductions; {} "
        "events published again, {} movements mended; {} ms, {} ms of them loading",
        of.number, result->epoch, result->products, result->orders, result->parked,
        result->reductions, result->survivors, result->mended, result->took.count(),
        result->loading.count());
}

void reconciler::reconcile(shard& of) {
    if (!compare_supplied(of)) return;
    resolve_late(of);
    reconcile_outbox(of);
}

// ---- given

/// False: the gate was shut.
bool reconciler::compare_supplied(shard& of) {
    if (of.products_after == 0) {
        if (const auto synced = uses_.registry.sync_sales(); !synced) warn(of, synced.error());
    }
    if (!has_gates()) return true;  // the products table is the gate
    const auto page = uses_.products.products(of.number, uses_.epochs.shards(), of.products_after,
                                              products_per_pass);
    if (!page) {
        warn(of, page.error());
        return true;
    }
    of.products_after = page->next.value_or(0);
    if (page->rows.empty()) return true;

    std::vector<std::int64_t> ids;
    for (const auto& one : page->rows)
        ids.push_back(one.units.id);
    // Read after the database, so what the gate lacks was given, or recorded, before.
    const auto levels = wait_for<std::expected<stock::gate::levels, stock::errc>>(
        [&](auto done) { uses_.gate.read_levels(of.number, ids, std::move(done)); });
    if (!levels) return true;
    std::vector<stock::gate_product> behind;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto& at_gate = levels->products[i];
        const auto& recorded = page->rows[i];
        const auto why = faults::without(faults::guard::record_check)
                             ? std::nullopt
                             : stock::behind_its_record(ids[i], recorded.units.supplied,
                                                        recorded.stock, at_gate);
        if (why) {
            of.epoch = levels->epoch;
            shut(of, *why);
            return false;
        }
        if (!at_gate || at_gate->supplied < recorded.units.supplied ||
            at_gate->revision < recorded.units.revision)
            behind.push_back(recorded.units);
    }
    if (behind.empty()) return true;
    const std::size_t count = behind.size();
    const auto told = give(behind);
    if (!told && told.error() == stock::errc::already_granted) {
        undo_terms(of, behind);
        return true;
    }
    // The gate is open, it said a moment ago; what it lacks now it has lost since it was loaded.
    if (!told && told.error() == stock::errc::rebuilding) of.distrusted = true;
    if (!told) return true;
    metrics::reconcile_supplied.add(static_cast<std::int64_t>(count));
    spdlog::info("reconciler: told the gate of shard {} what {} products were given", of.number,
                 count);
    return true;
}

std::expected<void, stock::errc> reconciler::give(std::vector<stock::gate_product> products) {
    return wait_for<std::expected<void, stock::errc>>(
        [&](auto done) { uses_.gate.give(std::move(products), std::move(done)); });
}

/// The process that made a change died before it could take it back.
void reconciler::undo_terms(shard& of, const std::vector<stock::gate_product>& behind) {
    for (const stock::gate_product& one : behind) {
        const auto told = give({one});
        if (told || told.error() != stock::errc::already_granted) continue;
        const auto undone = uses_.registry.undo_terms(one.id, one.revision);
        if (!undone) return cannot(of, undone.error());
        spdlog::info("reconciler: product {} has sold: what was to change before that is undone",
                     one.id);
    }
}

// ---- late events

void reconciler::resolve_late(shard& of) {
    const auto wait = [this](const std::function<bool()>& done) { uses_.timing.wait(done); };
    auto report = order::ask_again(uses_.late, uses_.gate, wait, of.number, of.late_after,
                                   late_events_per_pass);
    if (!report) return cannot(of, report.error());
    of.late_after = report->next.value_or(uuid{});
    metrics::late_resolved.add(static_cast<std::int64_t>(report->resolved + report->refused));
    if (report->to_publish.empty()) return;
    // What is not confirmed is in the outbox, and the reconciler's to publish again.
    (void)uses_.publisher.publish(std::move(report->to_publish), report->token, publish_patience);
}

std::unique_ptr<shard_keeper> make_shard_keeper(const ports& uses, const options& with,
                                                fault_board& board) {
    return std::make_unique<reconciler>(uses, with, board);
}

}  // namespace flashsale::recovery
