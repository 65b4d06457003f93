#include "life_promises.hpp"

#include <algorithm>
#include <utility>

#include "balances.hpp"
#include "databases.hpp"
#include "lives.hpp"
#include "process.hpp"
#include "promises.hpp"
#include "redis_server.hpp"

namespace flashsale::model {

using order::has_ended;
using order::order_status;

namespace {

/// A hold's units are sold or for sale again so long after its end (P9), and as long after a cure.
constexpr micros hold_bound = 2 * second;
/// Messages on their way, and looks of the run.
constexpr micros slack = 500 * ms;

micros micros_of(const world& in, timestamp when) {
    return in.now() +
           std::chrono::duration_cast<std::chrono::microseconds>(when - wall_clock_now()).count();
}

}  // namespace

void life_promises::answered(const order::change_request& what,
                             const order::order_changes::answer& how) {
    answers_.push_back({what, how});
}

void life_promises::deposited(std::int64_t user, const std::string& key, std::int64_t amount) {
    deposits_.push_back({user, amount, key});
}

// ---- at any moment

void life_promises::look() {
    if (!in_.with_life) return;
    look_for_holds();
    look_at_units();
    const auto& changes = in_.orders->life->changes;
    for (; changes_seen_ < changes.size(); ++changes_seen_) {
        const auto& one = changes[changes_seen_];
        const order::status_change made{one.from, one.to};
        const bool known =
            std::ranges::find(order::status_changes, made) != order::status_changes.end();
        const auto before = states_.try_emplace(one.order_id, one.from).first;
        if (!known || before->second != one.from)
            in_.promised->note(fmt::format("P10: order {} goes from {} to {}",
                                           short_id(one.order_id.to_string()),
                                           order::text_of(one.from), order::text_of(one.to)));
        before->second = one.to;
    }
}

std::optional<std::string> life_promises::keys_of_gate() const {
    if (!in_.orders->is_well() || !in_.stock->is_well() || !in_.users->is_well()) return {};
    if (!in_.redis->reachable() || !in_.redis->up() || in_.stock->state != "open") return {};
    const auto info = in_.redis->execute({"INFO", "server", "replication"}, false);
    for (const auto& one : in_.processes) {
        if (!one->alive() || one->asleep()) continue;
        const std::string root = one->place() == 0 ? "{flashsale:0}:" : "{elsewhere:0}:";
        const auto* header = in_.redis->find(root + "gate");
        if (!header || header->at("state") != "open" ||
            header->at("epoch") != std::to_string(in_.stock->epoch))
            continue;
        const std::string& server = header->at("server");
        if (info->text.find("run_id:" + server.substr(0, 40)) != std::string::npos &&
            info->text.find("master_replid:" + server.substr(40)) != std::string::npos)
            return root + header->at("epoch") + ":";
    }
    return {};
}

/// What is due no more, the newest gate knows of.
void life_promises::look_at_gate(const std::string& keys) const {
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> returned;
    for (const auto& [id, one] : in_.orders->life->heads) {
        if (has_ended(one.what.status) && !one.due_at)
            returned[{one.what.product_id, one.what.user_id}] += one.what.quantity;
    }
    for (const auto& [buyer, units] : returned) {
        if (!in_.stock->products.at(buyer.first).limit) continue;
        const auto* known = in_.redis->find(keys + "v:" + std::to_string(buyer.first));
        const auto of = known ? known->find(std::to_string(buyer.second))
                              : redis_server::hash::const_iterator{};
        const std::int64_t told = known && of != known->end() ? std::stoll(of->second) : 0;
        if (told < units)
            in_.promised->note(
                fmt::format("P5: user {} has returned {} of product {}, and the gate knows of {}",
                            buyer.second, units, buyer.first, told));
    }
}

void life_promises::look_for_holds() {
    const auto keys = keys_of_gate();
    const bool was_well = std::exchange(was_well_, keys.has_value());
    if (!was_well || !was_well_) ill_until_ = in_.now();
    if (keys) look_at_gate(*keys);
    for (const auto& [id, one] : in_.orders->life->heads) {
        if (!one.due_at) continue;
        micros since = seen_first_.try_emplace(id, in_.now()).first->second;
        since = std::max(since, ill_until_);
        since = std::max(since, one.what.status == order_status::pending ||
                                        one.what.status == order_status::expired
                                    ? micros_of(in_, *one.what.expires_at)
                                    : micros_of(in_, one.what.status_since));
        if (in_.now() - since <= hold_bound + slack) continue;
        in_.promised->note(fmt::format("P9: order {} is {}, and due for {} ms",
                                       short_id(id.to_string()), order::text_of(one.what.status),
                                       (in_.now() - since) / ms));
    }
}

void life_promises::look_at_units() {
    std::map<std::int64_t, std::int64_t> live;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> of_buyers;
    for (const auto& [id, one] : in_.orders->life->heads) {
        const bool ended = has_ended(one.what.status);
        if (!ended || !one.restock) live[one.what.product_id] += one.what.quantity;
        if (!ended) of_buyers[{one.what.product_id, one.what.user_id}] += one.what.quantity;
    }
    for (const auto& [id, product] : in_.stock->products) {
        if (live[id] > product.supplied - product.returned)
            in_.promised->note(fmt::format("P1: product {} was given {}, and {} are held or sold",
                                           id, product.supplied - product.returned, live[id]));
    }
    for (const auto& [buyer, units] : of_buyers) {
        const auto product = in_.stock->products.find(buyer.first);
        if (product == in_.stock->products.end() || !product->second.limit) continue;
        if (units > *product->second.limit)
            in_.promised->note(fmt::format("P5: user {} has {} of product {}, whose limit is {}",
                                           buyer.second, units, buyer.first,
                                           *product->second.limit));
    }
}

}  // namespace flashsale::model
