#include <flashsale/audit/sums.hpp>

#include <flashsale/events/event.hpp>
#include <flashsale/order/allocation_of.hpp>

#include <tuple>
#include <unordered_set>

namespace flashsale::audit {

namespace {

/// nullopt: it cannot be read, or took no units.
std::optional<stock::allocation> taken_by(std::string_view event) {
    const auto one = events::parse(event);
    return one ? order::allocation_of(*one) : std::nullopt;
}

/// Of an order, the key and what it is a key of. There are millions: they are compared in place.
auto key_of(const stock::allocation& order) {
    return std::tie(order.user_id, order.product_id, order.idempotency_key);
}
struct key_hash {
    std::size_t operator()(const stock::allocation* order) const noexcept {
        std::size_t seed = std::hash<std::string>{}(order->idempotency_key);
        for (const std::int64_t id : {order->user_id, order->product_id})
            seed = (seed ^ static_cast<std::size_t>(id)) * 0x9e37'79b9'7f4a'7c15uz;
        return seed;
    }
};
struct same_key {
    bool operator()(const stock::allocation* one, const stock::allocation* other) const {
        return key_of(*one) == key_of(*other);
    }
};

class auditor {
public:
    explicit auditor(const audit_record& record) : record_(record) {}

    audit_result run() {
        count();
        check_ledger();
        check_orders_against_movements();
        check_keys_and_limits();
        check_balances(record_.balances, result_);
        check_life(record_, result_);
        if (!record_.gate_fault && !record_.gate_is_database) {
            check_gate();
            for (const gate_shard& one : record_.shards)
                check_shard(one);
        }
        return std::move(result_);
    }

private:
    void count() {
        result_.products = record_.products.size();
        result_.orders = record_.orders.size();
        result_.outbox = record_.outbox.size();
        result_.parked = record_.parked.size();
        for (const order::late_event& one : record_.late) {
            if (!one.refused) ++result_.late;
            result_.late_events.push_back(finding_of(one));
        }
        result_.at_rest = record_.at_rest;
        for (const auto& [id, product] : record_.products) {
            result_.supplied += product.supplied;
            result_.stock += product.stock;
            result_.sold += product.sold;
            result_.reduced += product.reduced;
            result_.returned += product.dropped + product.returned;
            if (record_.gate_is_database) result_.free += product.stock;
        }
    }

    late_finding finding_of(const order::late_event& late) const {
        late_finding out;
        out.id = late.id;
        out.refused = late.refused;
        out.published_at = late.published_at;
        const auto event = events::parse(late.event);
        if (!event) return out;
        const events::event_base& base = events::base_of(*event);
        const auto shut_out = std::ranges::find_if(record_.fences, [&](const auto& fence) {
            return fence.shard == base.shard && fence.epoch > base.epoch;
        });
        out.asked = order::allocation_of(*event);
        out.created_at = base.created_at;
        if (shut_out == record_.fences.end()) return out;
        out.shut_out_by = *shut_out;
        out.perhaps_answered =
            !late.published_at || *late.published_at + std::chrono::seconds(1) > shut_out->begun_at;
        return out;
    }

    void fault(std::int64_t product_id, std::string sum, std::string found,
               std::vector<uuid> orders = {}) {
        result_.faults.push_back({product_id, std::move(sum), std::move(found), std::move(orders)});
    }

    static std::string pair(const char* a, std::int64_t x, const char* b, std::int64_t y) {
        return std::string(a) + " " + std::to_string(x) + ", " + b + " " + std::to_string(y);
    }

    void check_ledger() {
        for (const auto& [id, p] : record_.products) {
            if (p.stock != p.moved) {
                fault(id, "stock = sum of movements", pair("stock", p.stock, "movements", p.moved));
            }
            if (p.supplied != p.moved_up) {
                fault(id, "supplied = sum of movements that gave",
                      pair("supplied", p.supplied, "movements", p.moved_up));
            }
            if (p.sold + p.reduced > p.supplied) {
                fault(id, "sold + reduced <= supplied",
                      pair("sold and reduced", p.sold + p.reduced, "supplied", p.supplied),
                      beyond(id, p.supplied - p.reduced));
            }
            if (p.stock < 0) fault(id, "stock >= 0", "stock " + std::to_string(p.stock));
        }
    }

    /// The sales of a product, in the gate's order, that come after `units` were sold.
    std::vector<uuid> beyond(std::int64_t product, std::int64_t units) const {
        std::vector<std::pair<std::pair<std::uint64_t, std::uint64_t>, stock::allocation_id>> sales;
        for (const auto& [id, one] : record_.movements) {
            if (one.product_id == product && one.what == stock::operation::sale)
                sales.push_back({{one.epoch, one.seq}, id});
        }
        std::ranges::sort(sales);
        std::vector<uuid> out;
        for (const auto& [when, id] : sales) {
            units -= record_.movements.at(id).quantity;
            if (units < 0) out.push_back(id.order_id);
        }
        return out;
    }

    std::vector<uuid> orders_of(std::int64_t product, std::int64_t user) const {
        std::vector<uuid> out;
        for (const auto& [id, one] : record_.orders) {
            if (one.product_id == product && one.user_id == user) out.push_back(id.order_id);
        }
        std::ranges::sort(out);
        return out;
    }

    /// True if the event's outbox entry went, which it does only after both databases had it.
    bool was_pruned(const stock::allocation& one) const {
        if (record_.outbox.contains(one.id()) || record_.gate_fault) return false;
        if (record_.gate_is_database) return true;
        const auto level = record_.levels.find(one.product_id);
        if (level == record_.levels.end()) return false;
        return counted_in(level->second, one.epoch, one.seq);
    }

    static bool counted_in(const gate_level& level, std::uint64_t epoch, std::uint64_t seq) {
        return epoch < level.epoch || (epoch == level.epoch && seq <= level.seq);
    }

    void check_orders_against_movements() {
        const char* sum = "orders and sale movements match one to one";
        std::map<std::int64_t, std::vector<uuid>> without_order, without_movement, different,
            given_back;
        for (const auto& [id, movement] : record_.movements) {
            if (movement.what != stock::operation::sale) continue;
            const auto order = record_.orders.find(id);
            if (order == record_.orders.end()) {
                if (movement.back == stock::came_back::dropped) continue;  // it holds nothing
                const bool on_its_way = record_.gate_is_database && record_.outbox.contains(id);
                if (!on_its_way) without_order[movement.product_id].push_back(id.order_id);
            } else if (order->second.quantity != movement.quantity ||
                       order->second.product_id != movement.product_id) {
                different[movement.product_id].push_back(id.order_id);
            }
        }
        for (const auto& [id, order] : record_.orders) {
            const auto movement = record_.movements.find(id);
            if (movement == record_.movements.end()) {
                if (was_pruned(order)) without_movement[order.product_id].push_back(id.order_id);
            } else if (movement->second.what != stock::operation::sale ||
                       movement->second.back == stock::came_back::dropped) {
                given_back[order.product_id].push_back(id.order_id);
            }
        }
        const auto report = [&](auto& all, const char* what) {
            for (auto& [product, ids] : all) {
                std::string found = std::to_string(ids.size()) + " " + what;
                fault(product, sum, std::move(found), std::move(ids));
            }
        };
        report(without_order, "movements have no order");
        report(without_movement, "orders have no movement");
        report(different, "differ in product or quantity");
        report(given_back, "orders were dropped: their units were given back");
    }

    void check_keys_and_limits() {
        std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> bought;
        std::unordered_set<const stock::allocation*, key_hash, same_key> keys;
        keys.reserve(record_.orders.size());
        for (const auto& [id, order] : record_.orders) {
            if (!order.ended) bought[{order.product_id, order.user_id}] += order.quantity;
            const auto [first, fresh] = keys.insert(&order);
            if (!fresh) {
                fault(order.product_id, "one key, one order", "two orders of one key",
                      {(*first)->order_id, id.order_id});
            }
        }
        for (const auto& [who, quantity] : bought) {
            const auto product = record_.products.find(who.first);
            if (product == record_.products.end()) {
                // Made and sold since the products were read.
                if (!record_.levels.contains(who.first) && !record_.gate_is_database) continue;
                fault(who.first, "every order has a product", "no such product");
            } else if (product->second.per_user_limit &&
                       quantity > *product->second.per_user_limit) {
                fault(who.first, "no user above the limit",
                      "user " + std::to_string(who.second) + " has " + std::to_string(quantity) +
                          ", the limit is " + std::to_string(*product->second.per_user_limit),
                      orders_of(who.first, who.second));
            }
        }
    }

    /// Calls `each` with every allocation once, wherever it is noted by now.
    template <class Each>
    void for_each_allocation(Each each) const {
        const allocations* const places[] = {&record_.movements, &record_.orders, &record_.outbox};
        const auto noted_before = [&](std::size_t place, const stock::allocation_id& id) {
            return std::any_of(places, places + place,
                               [&](const allocations* before) { return before->contains(id); });
        };
        for (std::size_t place = 0; place < std::size(places); ++place) {
            for (const auto& [id, one] : *places[place]) {
                if (!noted_before(place, id)) each(one);
            }
        }
        std::unordered_set<stock::allocation_id, stock::allocation_id_hash> parked;
        for (const order::parked_event& event : record_.parked) {
            const auto one = event.holds_units ? taken_by(event.event) : std::nullopt;
            if (one && !noted_before(std::size(places), one->id()) &&
                parked.insert(one->id()).second) {
                each(*one);
            }
        }
    }

    /// With nothing on its way every unit is in one of four places.
    void check_rest() {
        std::map<std::int64_t, std::int64_t> held;
        for (const order::parked_event& parked : record_.parked) {
            const auto one = parked.holds_units ? taken_by(parked.event) : std::nullopt;
            if (!one || record_.movements.contains(one->id())) continue;
            held[one->product_id] += one->quantity;
        }
        for (const auto& [id, level] : record_.levels) {
            const auto found = record_.products.find(id);
            if (found == record_.products.end()) continue;
            const auto& p = found->second;
            if (level.supplied != p.supplied) continue;  // told below
            if (p.supplied == level.free + p.sold + p.reduced + held[id]) continue;
            fault(id, "supplied = free + sold + reduced + parked, at rest",
                  pair("supplied", p.supplied, "free", level.free) + ", " +
                      pair("sold", p.sold, "reduced", p.reduced) + ", parked " +
                      std::to_string(held[id]));
        }
    }

    void check_gate() {
        result_.gate_checked = true;
        std::map<std::int64_t, std::int64_t> taken;
        for_each_allocation([&](const stock::allocation& one) {
            const auto level = record_.levels.find(one.product_id);
            if (level == record_.levels.end()) return;
            if (counted_in(level->second, one.epoch, one.seq)) {
                taken[one.product_id] += one.quantity;
            }
        });
        if (record_.at_rest) check_rest();
        for (const auto& [id, level] : record_.levels) {
            result_.free += level.free;
            if (level.free < 0) fault(id, "free >= 0", "free " + std::to_string(level.free));
            if (level.free + taken[id] != level.supplied) {
                fault(id, "free + taken = supplied, at the gate",
                      pair("free", level.free, "taken", taken[id]) + ", supplied " +
                          std::to_string(level.supplied));
            }
            const auto product = record_.products.find(id);
            if (product == record_.products.end()) continue;
            const auto later = record_.supplied_later.find(id);
            const std::int64_t applied =
                later == record_.supplied_later.end() ? level.supplied : later->second;
            if (level.supplied > product->second.supplied || applied < product->second.supplied) {
                fault(id, "supplied at the gate = supplied",
                      pair("at the gate", applied, "supplied", product->second.supplied));
            }
        }
    }

    // ---- the gate's own account, of which the record may know nothing

    void check_shard(const gate_shard& at) {
        const std::string where =
            "shard " + std::to_string(at.number) + ", epoch " + std::to_string(at.epoch) + ": ";
        check_products(at, where);
        check_epoch(at, where);
        check_events(at, where);
    }

    /// A product is recorded first, and then told to the gate.
    void check_products(const gate_shard& at, const std::string& where) {
        std::vector<std::int64_t> unknown;
        for (const std::int64_t id : at.products) {
            if (!record_.products.contains(id)) unknown.push_back(id);
        }
        if (unknown.empty()) return;
        fault(unknown.size() == 1 ? unknown.front() : 0, "every product at the gate is recorded",
              where + "it sells " + listed(unknown) +
                  ", of which the stock database knows nothing: it has lost its record, or is of "
                  "another deployment");
    }

    /// An epoch is raised in the stock database, and then a gate opened under it.
    void check_epoch(const gate_shard& at, const std::string& where) {
        if (!at.recorded) return;
        const bool open = at.recorded->what == stock::shard_state::phase::open;
        const bool unknown = at.epoch > at.recorded->epoch;
        if (!unknown && (!open || at.epoch == at.recorded->epoch)) return;
        fault(0, "the gate's epoch is the recorded one",
              where + "the stock database has " + std::to_string(at.recorded->epoch) +
                  (unknown ? ": it is older than its gate, or of another deployment"
                           : ": another gate was opened since, and this one sells on"));
    }

    /// The gate numbers what it grants, without a gap. What it had granted as it was first read was
    /// then in its outbox, or is in a database by now.
    void check_events(const gate_shard& at, const std::string& where) {
        std::vector<std::uint64_t> there;
        const auto shards = static_cast<std::uint32_t>(record_.shards.size());
        const auto note = [&](const stock::allocation& one) {
            if (one.epoch == at.epoch && one.seq > 0 && one.seq <= at.seq &&
                stock::shard_of(one.product_id, shards) == at.number)
                there.push_back(one.seq);
        };
        const auto note_all = [&](const allocations& all) {
            for (const auto& [id, one] : all)
                note(one);
        };
        note_all(record_.outbox);
        note_all(record_.movements);
        note_all(record_.orders);
        std::ranges::for_each(record_.dropped, note);
        // What is set aside and cannot be read may be any of them.
        std::size_t unreadable = record_.dropped_unreadable;
        for (const late_finding& late : result_.late_events) {
            if (late.asked) note(*late.asked);
        }
        for (const order::parked_event& parked : record_.parked) {
            if (const auto one = taken_by(parked.event)) {
                note(*one);
            } else {
                ++unreadable;
            }
        }
        std::ranges::sort(there);
        there.erase(std::ranges::unique(there).begin(), there.end());
        const std::uint64_t missing = at.seq - there.size();
        if (missing <= unreadable) return;
        std::uint64_t first = 1;
        while (first <= there.size() && there[first - 1] == first)
            ++first;
        fault(0, "what the gate granted is recorded, or in its outbox",
              where + std::to_string(missing) + " of " + std::to_string(at.seq) +
                  " are nowhere, the first of them seq " + std::to_string(first) +
                  ": the record is behind its gate, or of another deployment");
    }

    static std::string listed(const std::vector<std::int64_t>& ids) {
        constexpr std::size_t most = 10;
        std::string out = ids.size() == 1 ? "product " : "products ";
        for (std::size_t i = 0; i < ids.size() && i < most; ++i)
            out.append(i == 0 ? "" : ", ").append(std::to_string(ids[i]));
        if (ids.size() > most)
            out.append(" and ").append(std::to_string(ids.size() - most)).append(" more");
        return out;
    }

    const audit_record& record_;
    audit_result result_;
};

}  // namespace

audit_result add_up(const audit_record& record) {
    return auditor(record).run();
}

}  // namespace flashsale::audit
