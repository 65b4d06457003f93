// The recorder's steps over the simulated databases. See src/order/recorder.cpp: the same order of
// steps, each of which may be the last, or be done twice.

#include <flashsale/events/event.hpp>
#include <flashsale/stock/gate.hpp>

#include "barriers.hpp"
#include "outbox_settler.hpp"
#include "process.hpp"
#include "promises.hpp"

namespace flashsale::model {

namespace {

using events::event;

/// A database is waited for with the batch in hand. False: the batch is no longer ours.
awaitable<bool> try_again(process& of) {
    co_await of.pause(of.in.random.between(20 * ms, 90 * ms));
    co_return of.reader().keep_alive();
}

/// One batch up to a barrier.
class segment {
public:
    segment(process& of, std::vector<event> all) : of_(of), all_(std::move(all)) {}

    /// Durable in both databases. False: no longer ours.
    awaitable<bool> record(std::optional<barrier> early, std::function<void()> orders_done) {
        world& in = of_.in;
        std::vector<event> orders;
        for (const event& one : all_) {
            if (one.what == event::kind::order_accepted) orders.push_back(one);
        }
        recording done;
        for (;;) {
            std::optional<std::uint64_t> believed;
            if (in.is_without(guard::fence)) {
                const auto read = co_await of_.ask<std::uint64_t>(
                    *in.orders, [&in] { return in.orders->closed_generation; });
                if (read) believed = *read;
                reach(of_, "between the recorder's check and its transaction");
            }
            auto recorded = co_await of_.ask<recording>(*in.orders, [&in, orders, believed, early] {
                auto out = in.orders->record(orders, believed);
                if (early) pass(*in.orders, *early);
                return out;
            });
            if (recorded) {
                done = std::move(*recorded);
                break;
            }
            if (!co_await try_again(of_)) co_return false;
        }
        reach(of_, "between the order database and the stock database");
        if (orders_done) orders_done();
        std::set<uuid> left_out(done.parked.begin(), done.parked.end());
        for (const event& one : done.old) {
            left_out.insert(one.id);
            if (!co_await ask_again(of_, one)) co_return false;
        }
        std::vector<event> movements;
        for (const event& one : all_) {
            if (!left_out.contains(one.id)) movements.push_back(one);
        }
        for (;;) {
            auto moved = co_await of_.ask<movement_result>(*in.stock, [&in, movements] {
                return in.stock->record(movements, !in.is_without(guard::returning));
            });
            if (moved) {
                for (const event& one : moved->old) {
                    if (!co_await ask_again(of_, one)) co_return false;
                }
                for (const uuid& id : moved->refused) {
                    for (const event& one : movements) {
                        if (one.id != id) continue;
                        co_await of_.ask<int>(*in.orders, [&in, one] {
                            in.orders->park(one, "movement refused", true);
                            return 0;
                        });
                    }
                }
                break;
            }
            if (!co_await try_again(of_)) co_return false;
        }
        co_return true;
    }

private:
    process& of_;
    std::vector<event> all_;
};

std::vector<stock::settled_event> settled_of(const std::vector<event>& all) {
    std::vector<stock::settled_event> out;
    for (const event& one : all)
        out.push_back({one.id, one.shard, one.generation});
    return out;
}

awaitable<bool> pass_barrier(process& of, barrier what) {
    world& in = of.in;
    for (;;) {
        auto stock_done = co_await of.ask<int>(*in.stock, [&in, what] {
            if (what.closes)
                in.stock->closed_generation =
                    std::max(in.stock->closed_generation, what.generation);
            return 0;
        });
        if (stock_done) {
            auto order_done = co_await of.ask<int>(*in.orders, [&in, what] {
                pass(*in.orders, what);
                return 0;
            });
            if (order_done) break;
        }
        if (!co_await try_again(of)) co_return false;
    }
    in.tell(of.name, "recorded barrier {}", what.id);
    co_return true;
}

awaitable<bool> record_batch(process& of, std::vector<events::entry> entries,
                             std::uint64_t position) {
    world& in = of.in;
    std::vector<event> part, all;
    const auto early_ack = [&of, &in, &all, position] {
        if (!in.is_without(guard::ack_after_both)) return;
        of.reader().acknowledge(position);
        of.settler().settle(settled_of(all));
    };
    for (const events::entry& entry : entries) {
        if (entry) all.push_back(*entry);
    }
    for (std::size_t i = 0; i <= entries.size(); ++i) {
        const bool end = i == entries.size();
        if (!end && entries[i]) {
            part.push_back(*entries[i]);
            continue;
        }
        std::optional<barrier> found;
        if (!end) found = barrier_of(entries[i].error().text);
        const bool early = found && in.is_without(guard::cut_at_barrier);
        if (!part.empty()) {
            segment one(of, std::exchange(part, {}));
            const bool ours = co_await one.record(early ? found : std::nullopt,
                                                  end ? early_ack : std::function<void()>{});
            if (!ours) co_return false;
        }
        if (found && !co_await pass_barrier(of, *found)) co_return false;
    }
    reach(of, "between the databases and the acknowledgement");
    of.reader().acknowledge(position);
    of.settler().settle(settled_of(all));
    co_return true;
}

}  // namespace

awaitable<bool> ask_again(process& of, event what) {
    world& in = of.in;
    stock::reservation wanted;
    wanted.what = what.what == event::kind::order_accepted ? stock::operation::sale
                                                           : stock::operation::reduction;
    wanted.product_id = what.product_id;
    wanted.user_id = what.user_id;
    wanted.quantity = what.quantity;
    wanted.idempotency_key = what.idempotency_key;
    wanted.id = what.id;
    const auto decided = co_await await_callback<std::vector<stock::decision>>([&](auto done) {
        std::vector<stock::reservation> batch;
        batch.push_back(wanted);
        of.gate().reserve(std::move(batch), std::move(done));
    });
    const stock::decision& made = decided.front();
    if (made) {
        in.tell(of.name, "asks the gate again for {}: {}", short_id(what.id.to_string()),
                made->id == what.id ? "granted" : "a twin has it");
    } else {
        in.tell(of.name, "asks the gate again for {}: {}", short_id(what.id.to_string()),
                stock::name_of(made.error()));
    }
    for (;;) {
        const auto done = co_await of.ask<int>(
            *in.orders, [&in, made = made.has_value(),
                         refused = made || made.error() < stock::errc::overloaded, what] {
                if (!refused) {
                    in.orders->late.try_emplace(what.id, what);
                    return 0;
                }
                in.orders->late.erase(what.id);
                if (!made) in.orders->park(what, "late, and refused by the gate", false);
                return 0;
            });
        if (done) co_return true;
        if (!co_await try_again(of)) co_return false;
    }
}

awaitable<void> record_for_ever(process& of) {
    for (;;) {
        auto batch = of.reader().next(std::chrono::milliseconds{0});
        if (!batch) {
            co_await of.pause(of.in.random.between(30 * ms, 120 * ms));
            continue;
        }
        if (batch->empty() && batch->position == 0) {
            co_await of.wait_for_arrival(500 * ms);
            continue;
        }
        reach(of, "with a batch in hand");
        co_await record_batch(of, std::move(batch->entries), batch->position);
    }
}

}  // namespace flashsale::model
