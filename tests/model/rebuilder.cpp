// Rebuild a shard, step by step as src/recovery/rebuild_plan.hpp has them.

#include <flashsale/order/recovery.hpp>
#include <flashsale/redis.hpp>

#include "barriers.hpp"
#include "faults.hpp"
#include "promises.hpp"
#include "redis/outbox_entry.hpp"
#include "redis/redis_scripts.hpp"

namespace flashsale::model {

namespace {

constexpr const char* deployment = "deployment";

// What `close` would be if it left a header that grants nothing as it is.
const redis::script& lazy_close_script() {
    static const redis::script one(R"lua(#!lua
local header = redis.call('HMGET', KEYS[1], 'state', 'epoch')
if header[2] and tonumber(header[2]) >= tonumber(ARGV[2]) then return 0 end
if header[1] == 'open' then redis.call('HSET', KEYS[1], 'state', 'closed') end
return 1
)lua");
    return one;
}
// ARGV: epoch, a key, its fields and values.
const redis::script& load_script() {
    static const redis::script one(R"lua(#!lua
local info = redis.call('INFO', 'server', 'replication')
local server = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
local header = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'server')
if header[1] ~= 'loading' or header[2] ~= ARGV[1] or header[3] ~= server then return 0 end
for at = 3, #ARGV, 2 do redis.call('HSET', ARGV[2], ARGV[at], ARGV[at + 1]) end
return 1
)lua");
    return one;
}

awaitable<redis::result> evaluate(process& of, const redis::script& what,
                                  std::vector<std::string> arguments) {
    co_return co_await await_callback<redis::result>([&](auto done) {
        const std::string header = of.header_key();
        const std::string_view keys[] = {header};
        const std::vector<std::string_view> views(arguments.begin(), arguments.end());
        of.client().evaluate(what, keys, views, std::move(done));
    });
}

awaitable<bool> done_by(process& of, const redis::script& what,
                        std::vector<std::string> arguments) {
    const auto reply = co_await evaluate(of, what, std::move(arguments));
    co_return reply && reply->integer > 0;  // a close that met nothing is one too
}

/// Nothing that is closed there is as good.
awaitable<bool> closed_by(process& of, const redis::script& what,
                          std::vector<std::string> arguments) {
    const auto reply = co_await evaluate(of, what, std::move(arguments));
    co_return reply && reply->integer > 0;
}

awaitable<bool> is_closed(process& of) {
    const auto reply = co_await evaluate(of, stock::scripts().inspect, {of.root(), "0", "state"});
    co_return reply && !reply->elements.empty() && reply->elements[0].integer == 1;
}

awaitable<std::optional<std::map<std::string, std::string>>> surviving_events(process& of,
                                                                              std::uint64_t epoch) {
    std::map<std::string, std::string> out;
    for (std::uint64_t old = 1; old < epoch; ++old) {
        const std::string key = of.root() + std::to_string(old) + ":outbox";
        const auto reply = co_await await_callback<redis::result>([&](auto done) {
            const std::string_view words[] = {"HGETALL", key};
            of.client().command(words, std::move(done));
        });
        if (!reply) co_return std::nullopt;
        for (std::size_t i = 0; i + 1 < reply->elements.size(); i += 2)
            out.emplace(reply->elements[i].text,
                        stock::event_of_entry(*uuid::parse(reply->elements[i].text),
                                              reply->elements[i + 1].text));
    }
    co_return out;
}

/// Everything that was granted and will ever be answered 201 is recorded.
awaitable<bool> drain(process& of, std::uint64_t epoch, uuid token) {
    world& in = of.in;
    for (int tries = 0; tries < 6; ++tries) {
        const auto left = co_await surviving_events(of, epoch);
        if (!left) co_return false;
        bool published = true;
        for (const auto& [id, text] : *left) {
            in.tell(of.name, "publishes {}, which the old gate still has", short_id(id));
            published = co_await of.publish(text, token) == events::outcome::durable && published;
        }
        if (!published) {
            co_await of.pause(100 * ms);
            continue;
        }
        if (in.is_without(guard::barrier)) co_return true;
        reach(of, "before the rebuild's barrier");
        if (!co_await wait_for_barrier(of, epoch, token, 2 * second)) continue;
        if (in.is_without(guard::survivors)) co_return true;
        const auto all_there = co_await of.ask<bool>(*in.orders, [&in, left = *left] {
            for (const auto& [id, text] : left) {
                const auto parsed = *uuid::parse(id);
                if (!in.orders->has(parsed) && !in.orders->parked.contains(parsed) &&
                    !in.orders->late.contains(parsed) && !in.stock->movements.contains({parsed}))
                    return false;
            }
            return true;
        });
        if (all_there && *all_there) co_return true;
    }
    co_return false;
}

/// From here on nothing older is recorded: what is not there is late. A recorder that is in the
/// middle of its transaction is waited for, which here is one step.
awaitable<bool> raise_fences(process& of, std::uint64_t epoch) {
    world& in = of.in;
    reach(of, "before the fences");
    const auto raised = co_await of.ask<int>(*in.orders, [&in, epoch] {
        in.orders->fence = std::max(in.orders->fence, epoch);
        return 0;
    });
    if (!raised) co_return false;
    reach(of, "between the fences");
    const auto both = co_await of.ask<int>(*in.stock, [&in, epoch] {
        in.stock->fence = std::max(in.stock->fence, epoch);
        return 0;
    });
    co_return both.has_value();
}

struct contents {
    std::vector<product_row> products;
    std::map<stock::allocation_id, stock::movement> movements;
    std::map<stock::allocation_id, stock::allocation> orders;
    std::vector<parked_event> parked;
};

/// One piece for each key of the new gate.
std::vector<std::vector<std::string>> pieces_of(const contents& all, const std::string& root,
                                                std::uint64_t epoch) {
    const std::string number = std::to_string(epoch);
    const std::string base = root + number + ":";
    std::vector<std::vector<std::string>> out;
    for (const product_row& row : all.products) {
        const std::string id = std::to_string(row.id);
        std::int64_t free = row.supplied;
        std::vector<std::string> keys{number, base + "k:" + id};
        std::map<std::int64_t, std::int64_t> bought;
        for (const auto& [order_id, order] : all.orders) {
            if (order.product_id != row.id) continue;
            free -= order.quantity;
            bought[order.user_id] += order.quantity;
            keys.push_back(fmt::format("s{}:{}", order.user_id, order.idempotency_key));
            keys.push_back(fmt::format("{} {} {}", order_id.order_id.to_string(), order.quantity,
                                       order.unit_price));
        }
        for (const auto& [movement_id, moved] : all.movements) {
            if (moved.product_id != row.id || moved.what == stock::operation::sale) continue;
            free += moved.delta;
            keys.push_back("r" + moved.idempotency_key);
            keys.push_back(
                fmt::format("{} {} 100", movement_id.order_id.to_string(), -moved.delta));
        }
        for (const parked_event& one : all.parked) {
            const auto event = events::parse(one.event);
            const auto units = event ? order::allocation_of(*event) : std::nullopt;
            if (!one.holds_units || !units || units->product_id != row.id) continue;
            if (!all.orders.contains(units->id())) free -= units->quantity;
        }
        std::vector<std::string> product{number,     base + "p:" + id,
                                         "free",     std::to_string(free),
                                         "supplied", std::to_string(row.supplied),
                                         "price",    "100"};
        if (row.limit) {
            product.insert(product.end(), {"limit", std::to_string(*row.limit)});
            std::vector<std::string> buyers{number, base + "b:" + id};
            for (const auto& [user, units] : bought)
                buyers.insert(buyers.end(), {std::to_string(user), std::to_string(units)});
            if (buyers.size() > 2) out.push_back(std::move(buyers));
        }
        out.push_back(std::move(product));
        if (keys.size() > 2) out.push_back(std::move(keys));
    }
    return out;
}

awaitable<std::optional<contents>> read_record(process& of) {
    world& in = of.in;
    contents out;
    const auto sold = co_await of.ask<contents>(*in.orders, [&in] {
        contents read;
        read.orders = in.orders->orders;
        for (const auto& [id, one] : in.orders->parked)
            read.parked.push_back(one);
        return read;
    });
    if (!sold) co_return std::nullopt;
    reach(of, "between the two databases' contents");
    const auto moved = co_await of.ask<contents>(*in.stock, [&in, orders = sold->orders] {
        std::vector<stock::movement> missing;
        for (const auto& [id, one] : orders) {
            if (in.stock->movements.contains(id)) continue;
            missing.push_back(order::movement_of(one));
        }
        in.stock->record(missing, 0);
        contents read;
        for (const auto& [id, row] : in.stock->products)
            read.products.push_back(row);
        read.movements = in.stock->movements;
        return read;
    });
    if (!moved) co_return std::nullopt;
    out = *moved;
    out.orders = sold->orders;
    out.parked = sold->parked;
    co_return out;
}

/// From here on nothing that an older gate grants gets into the log, wherever that gate is.
awaitable<bool> take_the_way_into_the_log(process& of, std::vector<uuid> older) {
    world& in = of.in;
    if (in.is_without(guard::unbinding)) co_return true;
    co_await round_trip(of);
    if (!of.log().unbind(older)) co_return false;
    reach(of, "after the unbinding");
    co_await round_trip(of);
    co_return of.log().prove_unbound(older).has_value();
}

}  // namespace

awaitable<void> round_trip(process& of) {
    co_await of.pause(of.in.transit());
}

awaitable<void> rebuild(process& of) {
    world& in = of.in;
    struct beginning {
        std::uint64_t epoch = 0;
        std::vector<uuid> older;
    };
    const uuid own = in.is_without(guard::own_token) ? in.stock->token : of.make_id();
    const auto raised = co_await of.ask<beginning>(*in.stock, [&in, own] {
        beginning out;
        for (const auto& [token, epoch] : in.stock->tokens) {
            if (token != own) out.older.push_back(token);
        }
        in.stock->state = "rebuilding";
        in.stock->token = own;
        out.epoch = ++in.stock->epoch;
        in.stock->tokens.try_emplace(own, out.epoch);
        return out;
    });
    if (!raised) co_return;
    const std::uint64_t epoch = raised->epoch;
    const std::string number = std::to_string(epoch);
    const std::string token = own.to_string();
    in.tell(of.name, "rebuilds the gate as epoch {}, token {}", epoch, short_id(token));
    reach(of, "after the epoch was raised");

    if (!co_await take_the_way_into_the_log(of, raised->older)) co_return;
    const redis::script& close =
        in.is_without(guard::close_fences) ? lazy_close_script() : stock::scripts().open;
    std::vector<std::string> closing{"close", number, deployment};
    for (const uuid& one : raised->older)
        closing.push_back(one.to_string());
    if (!co_await closed_by(of, close, closing)) co_return;
    reach(of, "after the close");
    if (!in.is_without(guard::wait_d)) co_await of.pause(confirm_deadline_ms * ms);
    reach(of, "before the bind");
    co_await round_trip(of);
    if (!of.log().bind(own)) co_return;
    if (!co_await drain(of, epoch, own)) co_return;
    if (!co_await raise_fences(of, epoch)) co_return;

    const auto all = co_await read_record(of);
    if (!all) co_return;
    reach(of, "before the load");
    if (!co_await done_by(of, stock::scripts().open, {"load", number, deployment, token}))
        co_return;
    for (std::uint64_t old = 1; old < epoch; ++old) {
        const std::string key = of.root() + std::to_string(old) + ":outbox";
        const auto removed = co_await await_callback<redis::result>([&](auto done) {
            const std::string_view words[] = {"DEL", key};
            of.client().command(words, std::move(done));
        });
        if (!removed) co_return;
    }
    reach(of, "after older keys were removed");
    co_await of.ask<int>(*in.stock, [&in, older = raised->older] {
        for (const uuid& one : older)
            in.stock->tokens.erase(one);
        return 0;
    });
    for (auto& piece : pieces_of(*all, of.root(), epoch)) {
        if (!co_await done_by(of, load_script(), std::move(piece))) co_return;
        reach(of, "in the middle of the load");
    }
    const auto mine = co_await of.ask<bool>(*in.stock, [&in, epoch] {
        if (in.stock->epoch != epoch) return false;
        in.stock->state = "open";
        return true;
    });
    if (!mine || !*mine) co_return;
    reach(of, "before the flip");
    if (!co_await done_by(of, stock::scripts().open, {"flip", number, deployment})) co_return;
    in.tell(of.name, "opened epoch {}", epoch);
    of.epochs().raise(0, epoch);
}

awaitable<void> rebuild_for_ever(process& of) {
    world& in = of.in;
    for (;;) {
        co_await of.pause(in.random.between(10 * ms, 400 * ms));
        // One that was begun is not over because the gate happens to be open still.
        const auto begun =
            co_await of.ask<bool>(*in.stock, [&in] { return in.stock->state == "rebuilding"; });
        const bool asked =
            take_rebuild_request() || (begun && *begun && !in.is_without(guard::begun));
        if (!asked && !co_await is_closed(of)) continue;
        const auto mine =
            co_await of.ask<bool>(*in.stock, [&in, number = of.number, life = of.life()] {
                return in.stock->lock("rebuild", number, life);
            });
        if (!mine || !*mine) continue;
        if (asked || co_await is_closed(of)) co_await rebuild(of);
        co_await of.ask<int>(*in.stock, [&in, number = of.number, life = of.life()] {
            in.stock->unlock("rebuild", number, life);
            return 0;
        });
    }
}

}  // namespace flashsale::model
