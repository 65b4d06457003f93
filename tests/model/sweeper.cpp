// The sweep: note the outbox, publish a barrier, and when that is recorded publish again what was
// noted and is still there. It also tells the gate what it was given, and asks again for late
// events.

#include <flashsale/events/event.hpp>

#include "barriers.hpp"
#include "promises.hpp"

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

awaitable<bool> give_what_is_missing(process& of) {
    world& in = of.in;
    const auto rows = co_await of.ask<std::vector<product_row>>(*in.stock, [&in] {
        std::vector<product_row> out;
        for (const auto& [id, row] : in.stock->products)
            out.push_back(row);
        return out;
    });
    if (!rows) co_return false;
    std::vector<std::int64_t> ids;
    for (const product_row& row : *rows)
        ids.push_back(row.id);
    const auto levels = co_await await_callback<std::expected<stock::gate::levels, stock::errc>>(
        [&](auto done) { of.gate().read_levels(0, ids, std::move(done)); });
    if (!levels) co_return false;
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
    co_return true;
}

awaitable<void> ask_for_late(process& of) {
    world& in = of.in;
    const auto late = co_await of.ask<std::vector<events::event>>(*in.orders, [&in] {
        std::vector<events::event> out;
        for (const auto& [id, one] : in.orders->late)
            out.push_back(one);
        return out;
    });
    if (!late) co_return;
    for (const events::event& one : *late)
        co_await ask_again(of, one);
}

awaitable<void> sweep(process& of) {
    world& in = of.in;
    if (!co_await give_what_is_missing(of)) co_return;
    co_await ask_for_late(of);
    const auto noted = co_await read_outbox(of);
    if (!noted || noted->empty()) co_return;
    barrier mark{fmt::format("sweep {} {}", of.number, in.now()), 0, false};
    if (!co_await wait_for_barrier(of, mark, 2 * second)) co_return;
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

awaitable<bool> wait_for_barrier(process& of, barrier what, micros patience) {
    world& in = of.in;
    if (co_await of.publish(text_of(what)) != events::outcome::durable) co_return false;
    const micros until = in.now() + patience;
    while (in.now() < until) {
        co_await of.pause(in.random.between(20 * ms, 120 * ms));
        const auto there = co_await of.ask<bool>(
            *in.orders, [&in, id = what.id] { return in.orders->barriers.contains(id); });
        if (there && *there) co_return true;
    }
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
