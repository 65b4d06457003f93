#include "promises.hpp"

#include <flashsale/order/recovery.hpp>

#include <algorithm>

#include "broker.hpp"
#include "databases.hpp"
#include "life_promises.hpp"
#include "lives.hpp"
#include "redis_server.hpp"
#include "shop.hpp"

namespace flashsale::model {

std::string short_id(std::string_view id) {
    return "#" + std::string(id.substr(id.size() - std::min<std::size_t>(id.size(), 5)));
}

void promises::accepted(const intent& what, const uuid& id) {
    auto& ids = answers_.try_emplace(what.number, answer{&what, {}, in_.now()}).first->second.ids;
    ids.insert(id);
    if (ids.size() > 1) {
        const bool excuse =
            std::ranges::any_of(ids, [&](const uuid& one) { return excused(one.to_string()); });
        if (!excuse) found_.push_back(fmt::format("P4: key {} has two orders", what.key));
    }
}

void promises::refused(const intent& what, std::string_view why, micros asked) {
    const auto found = answers_.find(what.number);
    if (found == answers_.end() || asked <= found->second.first) return;
    for (const uuid& id : found->second.ids) {
        if (excused(id.to_string())) return;
    }
    found_.push_back(
        fmt::format("P4: key {} was accepted, and a repeat is refused: {}", what.key, why));
}

void promises::not_found(const uuid& id) {
    if (excused(id.to_string())) return;
    found_.push_back(
        fmt::format("P6: order {} was accepted, and GET answers 404", short_id(id.to_string())));
}

void promises::held(std::string_view why) {
    found_.push_back(fmt::format("P3: a gate is held for a record that has lost nothing: {}", why));
}

bool promises::anywhere(const std::string& id) const {
    const auto parsed = *uuid::parse(id);
    if (in_.orders->has(parsed) || in_.stock->movements.contains({parsed})) return true;
    if (in_.orders->late.contains(parsed) || in_.amqp->has(id)) return true;
    const auto waiting = in_.redis->outbox_ids();
    return std::ranges::find(waiting, id) != waiting.end();
}

void promises::lost_by_redis(const std::string& id) {
    in_.tell("redis", "has lost {}", short_id(id));
    lost_by_redis_.insert(id);
    if (lost_by_broker_.contains(id) && !anywhere(id)) excused_.insert(id);
}

void promises::lost_by_broker(const std::string& id) {
    in_.tell("broker", "has lost {}", short_id(id));
    lost_by_broker_.insert(id);
    if (lost_by_redis_.contains(id) && !anywhere(id)) excused_.insert(id);
}

std::string promises::broken() const {
    std::string out;
    for (const std::string& one : found_)
        out.append(one).append("\n");
    const auto line = [&]<class... Args>(fmt::format_string<Args...> text, Args&&... args) {
        out.append(fmt::format(text, std::forward<Args>(args)...)).append("\n");
    };

    for (const auto& [number, one] : answers_) {
        for (const uuid& id : one.ids) {
            const std::string name = id.to_string();
            if (excused(name)) continue;
            if (one.what->reduction) {
                if (!in_.stock->movements.contains({id}))
                    line(
                        "P2: reduction {} of product {} was accepted and is not in the stock "
                        "database",
                        short_id(name), one.what->product);
                continue;
            }
            const auto row = in_.orders->orders.find({id});
            if (row == in_.orders->orders.end()) {
                line("P2: order {} (key {}, user {}) was accepted and is not in the order database",
                     short_id(name), one.what->key, one.what->user);
            } else if (row->second.user_id != one.what->user ||
                       row->second.quantity != one.what->quantity) {
                line("P2: order {} is another's", short_id(name));
            }
        }
    }

    std::map<std::int64_t, std::int64_t> sold, kept, reduced;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> bought;
    for (const auto& [id, order] : in_.orders->orders) {
        sold[order.product_id] += order.quantity;
        if (!order::has_ended(in_.orders->life->heads.at(id.order_id).what.status))
            bought[{order.user_id, order.product_id}] += order.quantity;
        const auto movement = in_.stock->movements.find(id);
        if (movement == in_.stock->movements.end())
            line("P3: order {} has no movement", short_id(id.order_id.to_string()));
    }
    for (const auto& [id, movement] : in_.stock->movements) {
        const bool sale = movement.what == stock::operation::sale;
        if (!sale) reduced[movement.product_id] -= movement.delta;
        if (sale && !in_.orders->orders.contains(id))
            line("P3: movement {} has no order", short_id(id.order_id.to_string()));
    }
    for (const auto& [id, one] : in_.orders->parked) {
        const auto event = events::parse(one.event);
        const auto units = event ? order::allocation_of(*event) : std::nullopt;
        if (one.holds_units && units && !in_.orders->has(id))
            kept[units->product_id] += units->quantity;
    }
    const auto* header = in_.redis->find("{flashsale:0}:gate");
    const std::string epoch = header && header->contains("epoch") ? header->at("epoch") : "-";
    for (const auto& [id, product] : in_.stock->products) {
        const std::int64_t taken = sold[id] + reduced[id] + kept[id];
        if (taken > product.supplied)
            line("P1: product {} was given {} and sold {} + reduced {} + parked {}", id,
                 product.supplied, sold[id], reduced[id], kept[id]);
        if (product.stock != product.supplied - sold[id] - reduced[id])
            line("P3: product {} has stock {} in the record: given {}, sold {}, reduced {}", id,
                 product.stock, product.supplied, sold[id], reduced[id]);
        const auto* gate = in_.redis->find("{flashsale:0}:" + epoch + ":p:" + std::to_string(id));
        if (!gate) {
            line("P3: the gate does not know product {}", id);
        } else if (std::stoll(gate->at("free")) != product.supplied - taken) {
            line("P3: product {} has {} free at the gate: given {}, sold {}, reduced {}, parked {}",
                 id, gate->at("free"), product.supplied, sold[id], reduced[id], kept[id]);
        }
        if (!product.limit) continue;
        for (const auto& [who, units] : bought) {
            if (who.second == id && units > *product.limit)
                line("P5: user {} has {} of product {}, whose limit is {}", who.first, units, id,
                     *product.limit);
        }
    }
    for (const auto& [id, one] : in_.orders->parked) {
        if (one.holds_units)
            line("P3: order {} is parked: {}", short_id(id.to_string()), one.reason);
    }
    return out + in_.lived->broken();
}

}  // namespace flashsale::model
