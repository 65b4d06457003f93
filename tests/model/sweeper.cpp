// The sweep: note the outbox, publish a barrier, and when that is recorded publish again what was
// noted and is still there. It also tells the gate what it was given, and asks again for late
// events.

#include <flashsale/events/event.hpp>

#include "barriers.hpp"
#include "late_event.hpp"

namespace flashsale::model {

namespace {

using outbox = std::map<std::string, std::string>;  // by id

awaitable<std::optional<outbox>> read_outbox(process& of) {
    outbox out;
    std::string cursor;
    do {
        auto page = co_await await_callback<std::expected<stock::gate::outbox_page, stock::errc>>(
            [&](auto done) { of.gate().read_outbox(0, cursor, std::move(done)); });
        if (!page) co_return std::nullopt;
        for (std::string& text : page->events) {
            const auto one = events::parse(text);
            if (one) out.emplace(one->id.to_string(), std::move(text));
        }
        cursor = page->next_cursor;
    } while (!cursor.empty());
    co_return out;
}

/// Also says which generation the gate is of; none: it is closed, or does not answer.
awaitable<std::optional<std::uint64_t>> give_what_is_missing(process& of) {
    world& in = of.in;
    const auto rows = co_await of.ask<std::vector<product_row>>(*in.stock, [&in] {
        std::vector<product_row> out;
        for (const auto& [id, row] : in.stock->products)
            out.push_back(row);
        return out;
    });
    if (!rows) co_return std::nullopt;
    std::vector<std::int64_t> ids;
    for (const product_row& row : *rows)
        ids.push_back(row.id);
    const auto levels = co_await await_callback<std::expected<stock::gate::levels, stock::errc>>(
        [&](auto done) { of.gate().read_levels(0, ids, std::move(done)); });
    if (!levels) co_return std::nullopt;
    std::vector<stock::gate_product> missing;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        const product_row& row = (*rows)[i];
        if (levels->products[i] && levels->products[i]->given >= row.given) continue;
        missing.push_back({row.id, row.given, 100, row.limit, {}, {}});
    }
    if (!missing.empty()) {
        co_await await_callback<std::expected<void, stock::errc>>(
            [&](auto done) { of.gate().give(std::move(missing), std::move(done)); });
    }
    co_return levels->generation;
}

/// Asks the gate again for events that came behind a barrier of a newer generation.
awaitable<void> ask_for_late(process& of) {
    using order::late_outcome;
    world& in = of.in;
    const auto late = co_await of.ask<std::vector<events::event>>(*in.orders, [&in] {
        std::vector<events::event> out;
        for (const auto& [id, one] : in.orders->late)
            out.push_back(one);
        return out;
    });
    if (!late) co_return;
    for (const events::event& one : *late) {
        auto decided = co_await await_callback<std::vector<stock::decision>>([&](auto done) {
            std::vector<stock::reservation> batch;
            batch.push_back(order::reservation_of(one));
            of.gate().reserve(std::move(batch), std::move(done));
        });
        const auto outcome = order::outcome_of(one.id, decided.front());
        in.tell(of.name, "asks the gate again for {}: {}", short_id(one.id.to_string()),
                decided.front() ? (outcome == late_outcome::twin ? "a twin has it" : "granted")
                                : stock::name_of(decided.front().error()));
        if (outcome == late_outcome::on_its_way)
            co_await of.publish(std::move(decided.front()->event));
        if (outcome == late_outcome::on_its_way || outcome == late_outcome::not_yet) continue;
        co_await of.ask<int>(*in.orders, [&in, one, refused = outcome == late_outcome::refused] {
            in.orders->late.erase(one.id);
            if (refused)
                in.orders->park(one.id, events::text_of(one), "late, and refused by the gate",
                                false);
            return 0;
        });
    }
}

awaitable<void> sweep(process& of) {
    world& in = of.in;
    const auto generation = co_await give_what_is_missing(of);
    if (!generation) co_return;
    co_await ask_for_late(of);
    const auto noted = co_await read_outbox(of);
    if (!noted || noted->empty()) co_return;
    if (!co_await wait_for_barrier(of, *generation, 2 * second)) co_return;
    reach(of, "after the sweep's barrier");
    const auto now = co_await read_outbox(of);
    if (!now) co_return;
    for (const auto& [id, text] : *noted) {
        if (!now->contains(id)) continue;
        in.tell(of.name, "sweeps {}", short_id(id));
        co_await of.publish(text);
    }
}

}  // namespace

awaitable<bool> wait_for_barrier(process& of, std::uint64_t generation, micros patience) {
    world& in = of.in;
    events::event mark;
    mark.what = events::event::kind::barrier;
    mark.id = of.make_id();
    mark.generation = generation;
    mark.created_at = mark.id.time();
    if (co_await of.publish(events::text_of(mark)) != events::outcome::durable) {
        (void)of.prepare_log();
        co_return false;
    }
    const micros until = in.now() + patience;
    while (in.now() < until) {
        co_await of.pause(in.random.between(20 * ms, 120 * ms));
        const auto there = co_await of.ask<bool>(
            *in.orders, [&in, id = mark.id] { return in.orders->barriers.contains(id); });
        if (there && *there) co_return true;
    }
    (void)of.prepare_log();
    co_return false;
}

awaitable<void> sweep_for_ever(process& of) {
    world& in = of.in;
    for (;;) {
        co_await of.pause(in.random.between(250 * ms, 700 * ms));
        const auto mine =
            co_await of.ask<bool>(*in.stock, [&in, number = of.number, life = of.life()] {
                return in.stock->lock("sweep", number, life);
            });
        if (mine && *mine) co_await sweep(of);
    }
}

}  // namespace flashsale::model
