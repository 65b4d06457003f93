// One pass over one shard, by the process that has its lease:
//
//   token    the log gives everything back that is published under the gate's: it has lost its
//            data, for no reopening has begun. The gate gets another
//   trust    what speaks against a gate that answers as if all were well: its server may evict
//            keys, or has; its seq went back; it has taken less than the record (gate_server.hpp).
//            Such a gate is shut, by its header, for every process; the next pass finds it closed
//   record   now and then: whether it has what the gate has granted (record_check.hpp)
//   given    what the stock database gave and the gate does not know of, because the process that
//            was to tell it died: one comparison, a page of products a pass
//   late     events that came behind the barrier of a newer generation: the gate is asked again
//   outbox   events that no recorder has seen (outbox_sweep.hpp)
//
// Each of them is right if another process does it too, and may be cut off anywhere.

#include "sweeper.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/base/thread_name.hpp>

#include "metrics.hpp"
#include "reopener.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::size_t products_per_pass = 500;
constexpr std::size_t late_events_per_pass = 500;
constexpr auto publish_patience = 5s;
constexpr auto barrier_long_out = 10s;

}  // namespace

sweeper::sweeper(const config& settings, stock::shard_generations& generations, events::log& log,
                 std::string deployment, fault_board& board)
    : settings_(settings),
      generations_(generations),
      log_(log),
      deployment_(std::move(deployment)),
      board_(board),
      holder_(uuid_generator().make()),
      access_(io_, settings, generations),
      stock_database_(postgres_options(settings, settings.postgres.stock_url)),
      order_database_(postgres_options(settings, settings.postgres.order_url)),
      products_(stock::make_postgres_record_reader(stock_database_)) {
    for (std::uint32_t i = 0; i < generations.shards(); ++i) {
        shards_.emplace_back(i, ms_of(settings.recovery.barrier_patience_ms),
                             faults::without(faults::guard::stepping_aside)
                                 ? 0ms
                                 : ms_of(settings.recovery.lease_ms));
    }
    tell();
}

void sweeper::start() {
    thread_ = std::jthread([this] {
        name_this_thread("sweeper");
        run();
    });
}

void sweeper::stop() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    asio::post(io_, [] {});
    thread_.join();
}

void sweeper::hurry() {
    hurried_ = true;
    asio::post(io_, [] {});
}

/// The worst first: one line is for all shards.
void sweeper::tell() {
    std::optional<known_fault> found;
    for (const shard& one : shards_) {
        const auto& fault = one.server_fault ? one.server_fault : one.fault;
        if (fault && !(found && found->hinders_orders)) {
            found = known_fault{*fault, true};
        } else if (one.note && !found) {
            found = known_fault{*one.note, false};
        }
    }
    board_.set("sweep", std::move(found));
}

/// Once a reason, not once a pass.
void sweeper::warn(shard& of, const std::string& what) {
    of.note = what;
    if (what != last_warning_) spdlog::warn("sweep: {}", what);
    last_warning_ = what;
}

void sweeper::run() {
    access_.start();
    publisher_.emplace(io_, log_, [this] { return stopping_.load(); });
    // Asked before it is connected, it would be a gate that does not answer, at each clean start.
    const auto connected_by = steady::now() + ms_of(settings_.redis.connect_timeout_ms);
    const auto connected = [this] {
        return std::ranges::all_of(access_.clients(),
                                   [](const redis::client* one) { return one->ready(); });
    };
    while (!stopping_ && !connected() && steady::now() < connected_by)
        rest(10ms);
    while (!stopping_) {
        for (shard& one : shards_) {
            if (stopping_) break;
            one.note.reset();
            if (!one.turn.is_off()) one.failure.reset();
            const auto began = steady::now();
            pass(one);
            end_turn(one, began);
            tell();
        }
        rest(ms_of(settings_.recovery.sweep_interval_ms));
    }
    // So that another need not wait for it to run out.
    for (const shard& one : shards_) {
        if (database_answers_) (void)stock::release_shard(stock_database_, one.number, holder_);
    }
    publisher_.reset();
    access_.stop();
    io_.restart();
    io_.poll();
}

void sweeper::rest(std::chrono::milliseconds time) {
    const auto until = steady::now() + time;
    while (!stopping_ && !hurried_.exchange(false) && steady::now() < until) {
        io_.restart();
        io_.run_one_until(until);
    }
}

void sweeper::pass(shard& of) {
    using enum stock::shard_state::phase;
    std::expected<std::optional<stock::shard_state>, std::string> lease;
    if (may_take(of)) {
        lease = stock::lease_shard(stock_database_, of.number, holder_,
                                   ms_of(settings_.recovery.lease_ms), false);
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
        of.outbox = outbox_sweep(ms_of(settings_.recovery.barrier_patience_ms));
        of.distrusted = false;
    }
    std::expected<stock::shard_state, std::string> known;
    if (mine) {
        known = **lease;
    } else if (lease) {
        known = stock::read_shard(stock_database_, of.number);
    } else {
        known = std::unexpected(lease.error());
    }
    if (!known) warn(of, known.error());
    if (known && uses_redis(settings_) && known->what == never) return tell_of_record(of);
    if (known && uses_redis(settings_)) look_at_log(of, *known, mine);
    // What the record calls open was loaded: an older gate than that is none.
    if (known && uses_redis(settings_) && known->what == open &&
        !faults::without(faults::guard::newest_gate))
        generations_.raise(of.number, known->generation);

    const auto look = mine ? look_at_server(of) : std::nullopt;
    // Without the lease it reopens nothing, but learns of the gate: an order that came
    // would tell, but none is sent to a process that calls itself ready and is not.
    const auto gate = wait_for<std::expected<stock::gate::levels, stock::errc>>(
        [&](auto done) { access_.gate().read_levels(of.number, {}, std::move(done)); });
    if (!known) return;
    // The database gate is never rebuilt; a gate in Redis that was there before it may have been.
    const bool begun = uses_redis(settings_) && known->what == reopening;
    if (gate) of.fault.reset();
    if (gate && uses_redis(settings_) && !is_newest(of, *known, *gate) && !(mine && begun)) return;
    if (gate) {
        of.generation = gate->generation;
        of.token = gate->token;
    }
    if (!mine) {
        // The lease's holder may not have noticed, or may not reach the log itself.
        if (gate && uses_redis(settings_) && known->what == open &&
            generations_.is_shut_out(of.number))
            (void)has_a_way(of, *known);
        if (!gate && uses_redis(settings_)) tell_of_record(of);
        return;
    }
    if (gate && !begun && !of.distrusted) {
        if (uses_redis(settings_) && !has_a_way(of, *known)) return;
        if (!is_trusted(of, look, *gate) || !is_known_to_record(of)) return;
        return sweep(of);
    }
    if (!gate && gate.error() != stock::errc::reopening)
        return cannot(of, "the gate answers " + std::string(stock::name_of(gate.error())));
    if (of.server_fault) return warn(of, *of.server_fault);
    of.outbox = outbox_sweep(ms_of(settings_.recovery.barrier_patience_ms));
    if (!may_be_rebuilt(of, look)) return;
    if (settings_.recovery.reopen_automatically) return reopen_gate(of, *known);
    of.fault = "shard " + std::to_string(of.number) +
               " is closed, and recovery.reopen_automatically is off: flashsale reopen";
    of.failure = of.fault;  // where it is on, another process reopens
}

/// The log's queue may be another one now, which the broker does not tell a consumer: if the gate
/// got another token, and if another process's barrier is long out.
void sweeper::look_at_log(shard& of, const stock::shard_state& known, bool mine) {
    generations_.note_newest_token(of.number, known.generation, known.token);
    if (mine || known.what != stock::shard_state::phase::reopening) {
        of.reopening_since.reset();
        return;
    }
    const auto now = steady::now();
    if (!of.reopening_since) of.reopening_since = now;
    if (now - *of.reopening_since < barrier_long_out) return;
    of.reopening_since = now;
    generations_.count_log_change();
}

// ---- a gate that is closed

void sweeper::reopen_gate(shard& of, const stock::shard_state& known) {
    if (steady::now() < of.reopen_from) {
        of.failure = of.fault;
        return;
    }
    redis::client& server = *access_.clients()[of.number];
    const auto opening = redis_gate_options(settings_, deployment_);
    const std::string name = "shard " + std::to_string(of.number);
    if (!of.fault) of.fault = name + " is being reopened";
    tell();
    if (known.what == stock::shard_state::phase::open && !of.distrusted) {
        // Loaded, noted, and then its process died before the last step.
        stock::gate_rebuild loaded(io_, server, of.number, known.generation, known.token, opening);
        const auto opened = loaded.open();
        if (opened && *opened) {
            of.fault.reset();
            return spdlog::info("sweep: opened shard {}, loaded before", of.number);
        }
    }
    const auto result = reopen(
        {settings_, io_, server, stock_database_, order_database_, log_, *publisher_, deployment_,
         [this] { return stopping_.load(); }, [this] { generations_.count_log_change(); }},
        of.number, generations_.shards(), holder_);
    if (!result) {
        metrics::reopening_failures.add();
        of.reopen_from = steady::now() + of.pause.next();
        of.fault = of.failure = name + " is not reopened: " + result.error();
        return spdlog::warn("shard {} is not reopened: {}", of.number, result.error());
    }
    of.pause.reset();
    of.fault.reset();
    of.distrusted = false;
    generations_.raise(of.number, result->generation);
    metrics::reopenings.add();
    metrics::reopening_ms.set(result->took.count());
    spdlog::warn(
        "shard {} is open, generation {}: {} products, {} orders, {} parked, {} reductions; {} "
        "events published again, {} movements mended; {} ms, {} ms of them loading",
        of.number, result->generation, result->products, result->orders, result->parked,
        result->reductions, result->survivors, result->mended, result->took.count(),
        result->loading.count());
}

void sweeper::sweep(shard& of) {
    if (!compare_given(of)) return;
    settle_late(of);
    sweep_outbox(of);
}

// ---- given

/// False: the gate was shut.
bool sweeper::compare_given(shard& of) {
    if (!uses_redis(settings_)) return true;  // the products table is the gate
    const auto page =
        products_->products(of.number, generations_.shards(), of.products_after, products_per_pass);
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
        [&](auto done) { access_.gate().read_levels(of.number, ids, std::move(done)); });
    if (!levels) return true;
    std::vector<stock::gate_product> behind;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto& at_gate = levels->products[i];
        const auto& recorded = page->rows[i];
        if (const auto why =
                stock::behind_its_record(ids[i], recorded.units.given, recorded.stock, at_gate)) {
            of.generation = levels->generation;
            shut(of, *why);
            return false;
        }
        if (!at_gate || at_gate->given < recorded.units.given) behind.push_back(recorded.units);
    }
    if (behind.empty()) return true;
    const std::size_t count = behind.size();
    const auto given = wait_for<std::expected<void, stock::errc>>(
        [&](auto done) { access_.gate().give(std::move(behind), std::move(done)); });
    // The gate is open, it said a moment ago; what it lacks now it has lost since it was loaded.
    if (!given && given.error() == stock::errc::reopening) of.distrusted = true;
    if (!given) return true;
    metrics::sweep_given.add(static_cast<std::int64_t>(count));
    spdlog::info("sweep: told the gate of shard {} what {} products were given", of.number, count);
    return true;
}

// ---- late events

void sweeper::settle_late(shard& of) {
    auto report = order::ask_again(order_database_, io_, access_.gate(), of.number, of.late_after,
                                   late_events_per_pass);
    if (!report) return cannot(of, report.error());
    of.late_after = report->next.value_or(uuid{});
    metrics::late_settled.add(static_cast<std::int64_t>(report->settled + report->refused));
    if (report->to_publish.empty()) return;
    // What is not confirmed is in the outbox, and the sweep's to publish again.
    (void)publisher_->publish(std::move(report->to_publish), report->token, publish_patience);
}

}  // namespace flashsale::app
