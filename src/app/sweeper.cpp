// One pass over one shard, by whoever has its lease:
//
//   given    what the stock database gave and the gate does not know of, because the process that
//            was to tell it died: one comparison, a page of products a pass
//   late     events that came behind the barrier of a newer generation: the gate is asked again
//   outbox   events that no recorder has seen (outbox_sweep.hpp)
//
// Each of them is right whoever else does it at the same time, and may be cut off anywhere.

#include "sweeper.hpp"

#include <spdlog/spdlog.h>

#include <flashsale/base/thread_name.hpp>

#include "metrics.hpp"
#include "reopener.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::size_t products_per_pass = 500;
constexpr std::size_t late_events_per_pass = 500;
constexpr std::size_t events_per_question = 500;
constexpr auto publish_patience = 5s;

}  // namespace

sweeper::sweeper(const config& settings, stock::shard_generations& generations, events::log& log)
    : settings_(settings),
      generations_(generations),
      log_(log),
      holder_(uuid_generator().make()),
      access_(io_, settings, generations),
      stock_database_(postgres_options(settings, settings.postgres.stock_url)),
      order_database_(postgres_options(settings, settings.postgres.order_url)),
      products_(stock::make_postgres_record_reader(stock_database_)) {
    for (std::uint32_t i = 0; i < generations.shards(); ++i) {
        shards_.emplace_back(i, ms_of(settings.recovery.barrier_patience_ms));
    }
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

std::optional<std::string> sweeper::fault() const {
    const std::lock_guard lock(mutex_);
    return fault_;
}

void sweeper::publish_fault() {
    const auto found =
        std::ranges::find_if(shards_, [](const shard& one) { return one.fault.has_value(); });
    const std::lock_guard lock(mutex_);
    fault_ = found == shards_.end() ? std::nullopt : found->fault;
}

/// Once a reason, not once a pass.
void sweeper::warn(const std::string& what) {
    if (what != last_warning_) spdlog::warn("sweep: {}", what);
    last_warning_ = what;
}

void sweeper::run() {
    access_.start();
    publisher_.emplace(io_, log_, [this] { return stopping_.load(); });
    // Asked before it is connected, it would be a gate that does not answer, at each clean start.
    const auto connected_by = steady::now() + ms_of(settings_.redis.connect_timeout_ms);
    while (!stopping_ && !access_.gate().check() && steady::now() < connected_by)
        rest(10ms);
    while (!stopping_) {
        for (shard& one : shards_) {
            if (!stopping_) pass(one);
        }
        publish_fault();
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
    while (!stopping_ && steady::now() < until) {
        io_.restart();
        io_.run_one_until(until);
    }
}

template <class T>
T sweeper::wait_for(const std::function<void(callback<T>)>& start) {
    std::optional<T> reply;
    start([&reply](T result) { reply = std::move(result); });
    while (!reply) {
        io_.restart();
        io_.run_one();
    }
    return std::move(*reply);
}

void sweeper::pass(shard& of) {
    const auto lease = stock::lease_shard(stock_database_, of.number, holder_,
                                          ms_of(settings_.recovery.lease_ms), false);
    database_answers_ = lease.has_value();
    if (!lease) return warn(lease.error());
    if (!*lease) {
        of.outbox = outbox_sweep(ms_of(settings_.recovery.barrier_patience_ms));
        of.fault.reset();
        return;
    }
    if (uses_redis(settings_) && (*lease)->what == stock::shard_state::phase::never) return;

    const auto open = wait_for<std::expected<stock::gate::levels, stock::errc>>(
        [&](auto done) { access_.gate().read_levels(of.number, {}, std::move(done)); });
    const bool begun = (*lease)->what == stock::shard_state::phase::reopening;
    if (open && !begun) {
        of.generation = open->generation;
        return sweep(of);
    }
    if (!open && open.error() != stock::errc::reopening)
        return warn("the gate answers " + std::string(stock::name_of(open.error())));
    of.outbox = outbox_sweep(ms_of(settings_.recovery.barrier_patience_ms));
    if (settings_.recovery.reopen_automatically) reopen_gate(of, **lease);
}

// ---- a gate that is closed

void sweeper::reopen_gate(shard& of, const stock::shard_state& known) {
    if (steady::now() < of.reopen_from) return;
    redis::client& server = *access_.clients()[of.number];
    const auto opening = redis_gate_options(settings_);
    if (known.what == stock::shard_state::phase::open) {
        // Loaded, noted, and then its process died before the last step.
        stock::gate_rebuild loaded(io_, server, of.number, known.generation, opening);
        const auto opened = loaded.open();
        if (opened && *opened)
            return spdlog::info("sweep: opened shard {}, loaded before", of.number);
    }
    const auto result = reopen({settings_, io_, server, stock_database_, order_database_, log_,
                                *publisher_, [this] { return stopping_.load(); }},
                               of.number, generations_.shards(), holder_);
    if (!result) {
        metrics::reopening_failures.add();
        of.reopen_from = steady::now() + of.pause.next();
        return spdlog::warn("shard {} is not reopened: {}", of.number, result.error());
    }
    of.pause.reset();
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
    compare_given(of);
    settle_late(of);
    sweep_outbox(of);
}

// ---- given

void sweeper::compare_given(shard& of) {
    if (!uses_redis(settings_)) return;  // the products table is the gate
    const auto page =
        products_->products(of.number, generations_.shards(), of.products_after, products_per_pass);
    if (!page) return warn(page.error());
    of.products_after = page->next.value_or(0);
    if (page->rows.empty()) return;

    std::vector<std::int64_t> ids;
    for (const auto& one : page->rows)
        ids.push_back(one.units.id);
    // Read after the database, so what the gate lacks was given before.
    const auto levels = wait_for<std::expected<stock::gate::levels, stock::errc>>(
        [&](auto done) { access_.gate().read_levels(of.number, ids, std::move(done)); });
    if (!levels) return;
    std::vector<stock::gate_product> behind;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto& at_gate = levels->products[i];
        if (!at_gate || at_gate->given < page->rows[i].units.given)
            behind.push_back(page->rows[i].units);
    }
    if (behind.empty()) return;
    const std::size_t count = behind.size();
    const auto given = wait_for<std::expected<void, stock::errc>>(
        [&](auto done) { access_.gate().give(std::move(behind), std::move(done)); });
    if (!given) return;
    metrics::sweep_given.add(static_cast<std::int64_t>(count));
    spdlog::info("sweep: told the gate of shard {} what {} products were given", of.number, count);
}

// ---- late events

void sweeper::settle_late(shard& of) {
    auto report =
        order::ask_again(order_database_, io_, access_.gate(), of.number, late_events_per_pass);
    if (!report) return warn(report.error());
    metrics::late_settled.add(static_cast<std::int64_t>(report->settled + report->refused));
    if (report->to_publish.empty()) return;
    // What is not confirmed is in the outbox, and the sweep's to publish again.
    (void)publisher_->publish(std::move(report->to_publish), publish_patience);
}

// ---- the outbox

void sweeper::sweep_outbox(shard& of) {
    using enum outbox_sweep::step;
    const deadline now = steady::now();
    switch (of.outbox.next()) {
        case note:
            note_outbox(of);
            if (of.outbox.next() == send_barrier) this->send_barrier(of);
            break;
        case send_barrier:
            this->send_barrier(of);
            break;
        case await_barrier: {
            const auto recorded = order::barrier_recorded(order_database_, of.outbox.barrier());
            if (!recorded) return warn(recorded.error());
            of.outbox.barrier_seen(*recorded);
            if (of.outbox.barrier_due_again(now)) this->send_barrier(of);
            break;
        }
        case look_again:
            this->look_again(of);
            break;
    }
    const auto overdue = of.outbox.overdue(now);
    metrics::sweep_barrier_overdue_ms.set(overdue.value_or(0ms).count());
    of.fault.reset();
    if (overdue) {
        of.fault = "accepted orders are not being recorded: a barrier is out for " +
                   std::to_string(overdue->count()) + " ms";
    }
}

void sweeper::note_outbox(shard& of) {
    std::vector<uuid> entries;
    do {
        auto page = wait_for<std::expected<stock::gate::outbox_page, stock::errc>>([&](auto done) {
            access_.gate().read_outbox(of.number, of.outbox_cursor, std::move(done));
        });
        if (!page) return;
        for (const std::string& event : page->events) {
            if (const auto id = events::id_of(event)) entries.push_back(*id);
        }
        of.outbox_cursor = std::move(page->next_cursor);
    } while (!of.outbox_cursor.empty() &&
             entries.size() < size_of(settings_.recovery.sweep_events_max));
    of.outbox.note(std::move(entries), ids_.make(of.number));
}

// A barrier that is not confirmed, or does not come back, may have been published to a queue that
// is not there any more: it is declared again before the next attempt, and at each one after a
// first that failed. To declare it before every barrier would be a connection a second for nothing.
void sweeper::send_barrier(shard& of) {
    if (of.outbox.next() == outbox_sweep::step::await_barrier) {
        if (const auto done = log_.prepare(); !done) return warn(done.error());
    }
    events::event barrier;
    barrier.what = events::event::kind::barrier;
    barrier.id = of.outbox.barrier();
    barrier.shard = of.number;
    barrier.generation = of.generation;
    barrier.created_at = barrier.id.time();
    const auto sent = publisher_->publish({events::text_of(barrier)}, publish_patience);
    if (!sent) {
        warn(sent.error());
        if (log_.state() == events::log_state::up) (void)log_.prepare();
        return;
    }
    metrics::sweep_barriers.add();
    of.outbox.barrier_sent(steady::now());
}

void sweeper::look_again(shard& of) {
    const auto& noted = of.outbox.noted();
    std::size_t published = 0;
    for (std::size_t begin = 0; begin < noted.size(); begin += events_per_question) {
        const auto end = std::min(begin + events_per_question, noted.size());
        std::vector<uuid> ids(noted.begin() + static_cast<std::ptrdiff_t>(begin),
                              noted.begin() + static_cast<std::ptrdiff_t>(end));
        auto found =
            wait_for<std::expected<stock::gate::found_events, stock::errc>>([&](auto done) {
                access_.gate().find_events(of.number, std::move(ids), std::move(done));
            });
        if (!found) break;  // what is left is noted again
        std::vector<std::string> unsettled;
        for (auto& event : *found) {
            if (event) unsettled.push_back(std::move(*event));
        }
        if (unsettled.empty()) continue;
        published += unsettled.size();
        if (const auto sent = publisher_->publish(std::move(unsettled), publish_patience); !sent) {
            warn(sent.error());
            break;
        }
    }
    if (published > 0) {
        metrics::sweep_published.add(static_cast<std::int64_t>(published));
        spdlog::info("sweep: published {} events of shard {} again that nobody had recorded",
                     published, of.number);
    }
    of.outbox.looked_again();
}

}  // namespace flashsale::app
