// The reconciler: note the outbox, publish a barrier, and when that is recorded publish again what
// was noted and is still there. It also tells the gate what it was given, and asks again for late
// events.

#include <flashsale/events/event.hpp>
#include <flashsale/order/recovery.hpp>

#include "barriers.hpp"
#include "redis/redis_scripts.hpp"
#include "set_aside/late_event.hpp"

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
            const auto id = events::id_of(text);
            if (id) out.emplace(id->to_string(), std::move(text));
        }
        cursor = page->next_cursor;
    } while (!cursor.empty());
    co_return out;
}

awaitable<void> give_what_is_missing(process& of) {
    world& in = of.in;
    const auto rows = co_await of.ask<std::vector<product_row>>(*in.stock, [&in] {
        std::vector<product_row> out;
        for (const auto& [id, row] : in.stock->products)
            out.push_back(row);
        return out;
    });
    if (!rows) co_return;
    std::vector<std::int64_t> ids;
    for (const product_row& row : *rows)
        ids.push_back(row.id);
    const auto levels = co_await await_callback<std::expected<stock::gate::levels, stock::errc>>(
        [&](auto done) { of.gate().read_levels(0, ids, std::move(done)); });
    if (!levels) co_return;
    std::vector<stock::gate_product> missing;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        const product_row& row = (*rows)[i];
        if (levels->products[i] && levels->products[i]->supplied >= row.supplied) continue;
        missing.push_back({row.id, row.supplied, 100, row.limit, {}, {}});
    }
    if (!missing.empty()) {
        co_await await_callback<std::expected<void, stock::errc>>(
            [&](auto done) { of.gate().give(std::move(missing), std::move(done)); });
    }
}

/// Asks the gate again for events that came behind a barrier of a newer epoch.
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
        const uuid id = events::base_of(one).id;
        const stock::allocation units = *order::allocation_of(one);
        auto decided = co_await await_callback<std::vector<stock::decision>>([&](auto done) {
            std::vector<stock::reservation> batch;
            batch.push_back(order::reservation_of(units));
            of.gate().reserve(std::move(batch), std::move(done));
        });
        const auto outcome = order::outcome_of(id, decided.front());
        in.tell(of.name, "asks the gate again for {}: {}", short_id(id.to_string()),
                decided.front() ? (outcome == late_outcome::twin ? "a twin has it" : "granted")
                                : stock::name_of(decided.front().error()));
        if (outcome == late_outcome::on_its_way)
            co_await of.publish(std::move(decided.front()->event), decided.front()->token);
        if (outcome == late_outcome::on_its_way || outcome == late_outcome::not_yet) continue;
        co_await of.ask<int>(*in.orders, [&in, id, one,
                                          refused = outcome == late_outcome::refused] {
            in.orders->late.erase(id);
            if (refused)
                in.orders->park(id, events::text_of(one), "late, and refused by the gate", false);
            return 0;
        });
    }
}

awaitable<void> reconcile(process& of, const stock::gate::levels& gate) {
    world& in = of.in;
    co_await give_what_is_missing(of);
    co_await ask_for_late(of);
    const auto noted = co_await read_outbox(of);
    if (!noted || noted->empty()) co_return;
    if (!co_await wait_for_barrier(of, gate.epoch, gate.token, 2 * second)) co_return;
    reach(of, "after the reconciler's barrier");
    const auto now = co_await read_outbox(of);
    if (!now) co_return;
    for (const auto& [id, text] : *noted) {
        if (!now->contains(id)) continue;
        in.tell(of.name, "reconciles {}", short_id(id));
        co_await of.publish(text, gate.token);
    }
}

struct shard_row {
    std::uint64_t epoch = 0;
    std::string state;
    uuid token;
};

awaitable<std::expected<shard_row, std::string>> read_row(process& of) {
    co_return co_await of.ask<shard_row>(*of.in.stock, [&in = of.in] {
        return shard_row{in.stock->epoch, in.stock->state, in.stock->token};
    });
}

awaitable<bool> lease(process& of) {
    const auto mine =
        co_await of.ask<bool>(*of.in.stock, [&in = of.in, number = of.number, life = of.life()] {
            return in.stock->lock("reconcile", number, life);
        });
    co_return mine && *mine;
}

/// The gate here is not the newest: others have the newest, and look after it. True: none does.
awaitable<bool> leave_it_to_others(process& of, int passes) {
    constexpr int patience = 4;
    if (passes >= patience && co_await lease(of)) co_return true;
    co_await of.ask<int>(*of.in.stock, [&in = of.in, number = of.number, life = of.life()] {
        in.stock->unlock("reconcile", number, life);
        return 0;
    });
    co_return false;
}

awaitable<void> renew(process& of, const stock::gate::levels& gate, uuid token) {
    of.in.tell(of.name, "gives the gate token {}", short_id(token.to_string()));
    co_await await_callback<redis::result>([&](auto done) {
        const std::string header = of.header_key(), number = std::to_string(gate.epoch),
                          old = gate.token.to_string(), fresh = token.to_string();
        const std::string_view keys[] = {header};
        const std::string_view arguments[] = {"renew", number, "deployment", old, fresh};
        of.client().evaluate(stock::scripts().open, keys, arguments, std::move(done));
    });
}

/// The log has lost what its queue takes, and all that was in it.
awaitable<void> make_a_way(process& of, const stock::gate::levels& gate) {
    world& in = of.in;
    reach(of, "before the reconciler binds");
    co_await round_trip(of);
    if (in.is_without(guard::fresh_token)) {
        (void)of.log().bind(gate.token);
        of.epochs().saw(0, uuid{});
        co_return;
    }
    const uuid fresh = of.make_id();
    if (!of.log().bind(fresh)) co_return;
    reach(of, "after the reconciler has bound");
    const auto noted = co_await of.ask<bool>(*in.stock, [&in, gate, fresh] {
        if (in.stock->epoch != gate.epoch || in.stock->state != "open" ||
            in.stock->token != gate.token)
            return false;
        in.stock->token = fresh;
        in.stock->tokens.try_emplace(fresh, gate.epoch);
        return true;
    });
    if (!noted || !*noted) co_return;
    reach(of, "before the header has its token");
    co_await renew(of, gate, fresh);
}

}  // namespace

awaitable<bool> wait_for_barrier(process& of, std::uint64_t epoch, uuid token, micros patience) {
    world& in = of.in;
    events::barrier mark;
    mark.id = of.make_id();
    mark.epoch = epoch;
    mark.created_at = mark.id.time();
    if (co_await of.publish(events::text_of(mark), token) != events::outcome::durable) {
        (void)of.log().prepare();
        co_return false;
    }
    const micros until = in.now() + patience;
    while (in.now() < until) {
        co_await of.pause(in.random.between(20 * ms, 120 * ms));
        const auto there = co_await of.ask<bool>(
            *in.orders, [&in, id = mark.id] { return in.orders->barriers.contains(id); });
        if (there && *there) co_return true;
    }
    (void)of.log().prepare();
    co_return false;
}

awaitable<void> reconcile_for_ever(process& of) {
    world& in = of.in;
    int passes_replaced = 0;
    for (;;) {
        co_await of.pause(in.random.between(250 * ms, 700 * ms));
        const auto known = co_await read_row(of);
        if (!known) continue;
        const bool looks = !in.is_without(guard::newest_gate);
        if (looks && known->state == "open") of.epochs().raise(0, known->epoch);
        const auto gate = co_await await_callback<std::expected<stock::gate::levels, stock::errc>>(
            [&](auto done) { of.gate().read_levels(0, {}, std::move(done)); });
        if (looks && of.epochs().answer(0) == stock::gate_answer::older) {
            in.tell(of.name, "has an older gate, and {} is the newest", known->epoch);
            if (co_await leave_it_to_others(of, ++passes_replaced)) co_await rebuild(of);
            continue;
        }
        // One that is being replaced.
        if (looks && gate && gate->epoch < known->epoch) {
            of.epochs().shut_out(0, gate->token);
            continue;
        }
        passes_replaced = 0;
        const auto mine = co_await lease(of);
        if (!mine || !gate || known->state != "open") continue;
        if (known->token != gate->token) {
            co_await renew(of, *gate, known->token);
        } else if (of.epochs().is_shut_out(0)) {
            co_await make_a_way(of, *gate);
        } else {
            co_await reconcile(of, *gate);
        }
    }
}

}  // namespace flashsale::model
