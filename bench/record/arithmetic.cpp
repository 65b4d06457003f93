#include "record/arithmetic.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace flashsale::bench {

namespace {

constexpr std::size_t findings_max = 12;

using request_identity = std::tuple<std::int64_t, std::int64_t, std::string_view>;

request_identity identity(const wanted_order& o) {
    return {o.user, o.product, o.key};
}
request_identity identity(const order_row& o) {
    return {o.user, o.product, o.key};
}

class adder {
public:
    adder(const sale& clients, const record& databases) : sale_{clients}, record_{databases} {}

    sums run() {
        sums_.stored = static_cast<std::int64_t>(record_.orders.size());
        sums_.parked = record_.parked;
        for (const auto& row : record_.orders)
            orders_.try_emplace(row.id, &row);
        for (const auto& row : record_.movements) {
            if (row.kind == movement_kind::sale) sales_.try_emplace(row.id, &row);
        }
        find_lost();
        find_duplicated();
        find_phantoms();
        find_stray_movements();
        find_limit_exceeded();
        add_totals();
        for (const auto& product : sale_.products)
            check_product(product);
        return std::move(sums_);
    }

private:
    template <class... Args>
    void found(fmt::format_string<Args...> form, Args&&... args) {
        if (sums_.findings.size() == findings_max) sums_.findings.emplace_back("and more");
        if (sums_.findings.size() > findings_max) return;
        sums_.findings.push_back(fmt::format(form, std::forward<Args>(args)...));
    }

    void find_lost() {
        for (const auto& order : sale_.accepted) {
            if (const auto why = loss_of(order); !why.empty()) {
                ++sums_.lost;
                found("order {} of user {} was accepted, but {}", order.id.to_string(),
                      order.wanted.user, why);
            }
        }
    }

    std::string_view loss_of(const accepted_order& order) const {
        if (!order.echoed) return "the answer named another user, product or quantity";
        const auto row = orders_.find(order.id);
        if (row == orders_.end()) return "the order database has no such row";
        if (identity(*row->second) != identity(order.wanted) ||
            row->second->quantity != order.wanted.quantity) {
            return "its row names another user, product, quantity or key";
        }
        const auto moved = sales_.find(order.id);
        if (moved == sales_.end()) return "the stock database has no sale movement of it";
        if (moved->second->product != order.wanted.product ||
            moved->second->delta != -order.wanted.quantity) {
            return "its sale movement names another product or quantity";
        }
        return {};
    }

    void find_duplicated() {
        std::vector<request_identity> stored;
        for (const auto& row : record_.orders)
            stored.push_back(identity(row));
        count_repeats(stored, [&](const request_identity& twice) {
            found("user {}, product {}, key '{}' has more than one order", std::get<0>(twice),
                  std::get<1>(twice), std::get<2>(twice));
        });

        std::vector<uuid> stored_ids;
        for (const auto& row : record_.orders)
            stored_ids.push_back(row.id);
        count_repeats(stored_ids, [&](const uuid& twice) {
            found("order {} is stored more than once", twice.to_string());
        });

        // The clients' side: one id answered for two keys, two ids for one key.
        std::map<uuid, request_identity> key_of;
        std::map<request_identity, uuid> id_of;
        for (const auto& order : sale_.accepted) {
            const auto who = identity(order.wanted);
            const auto by_id = key_of.try_emplace(order.id, who);
            const auto by_key = id_of.try_emplace(who, order.id);
            if (by_id.first->second != who) {
                ++sums_.duplicated;
                found("order {} was the answer to different keys", order.id.to_string());
            } else if (by_key.first->second != order.id) {
                ++sums_.duplicated;
                found("key '{}' was answered with different orders", order.wanted.key);
            }
        }
    }

    template <class T, class Tell>
    void count_repeats(std::vector<T>& values, Tell tell) {
        std::sort(values.begin(), values.end());
        for (std::size_t i = 1; i < values.size(); ++i) {
            if (values[i] != values[i - 1]) continue;
            ++sums_.duplicated;
            tell(values[i]);
        }
    }

    void find_phantoms() {
        std::unordered_set<uuid, uuid_hash> accepted;
        for (const auto& order : sale_.accepted)
            accepted.insert(order.id);
        std::vector<request_identity> unsure;
        for (const auto& order : sale_.unsure)
            unsure.push_back(identity(order));
        std::sort(unsure.begin(), unsure.end());
        for (const auto& row : record_.orders) {
            if (accepted.contains(row.id)) continue;
            if (std::binary_search(unsure.begin(), unsure.end(), identity(row))) continue;
            ++sums_.phantom;
            found("order {} of user {} is stored, but nobody was told so", row.id.to_string(),
                  row.user);
        }
    }

    void find_stray_movements() {
        std::unordered_set<uuid, uuid_hash> seen;
        for (const auto& row : record_.movements) {
            if (row.kind != movement_kind::sale) continue;
            const bool first = seen.insert(row.id).second;
            if (first && orders_.contains(row.id)) continue;
            ++sums_.stray_movements;
            found("product {} has a sale movement {} {}", row.product, row.id.to_string(),
                  first ? "without an order" : "twice");
        }
    }

    void find_limit_exceeded() {
        std::unordered_map<std::int64_t, std::int64_t> limit_of;
        for (const auto& product : sale_.products) {
            if (product.per_user_limit) limit_of[product.id] = *product.per_user_limit;
        }
        std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> bought;
        for (const auto& row : record_.orders)
            bought[{row.product, row.user}] += row.quantity;
        for (const auto& [who, units] : bought) {
            const auto limit = limit_of.find(who.first);
            if (limit == limit_of.end() || units <= limit->second) continue;
            sums_.limit_exceeded += units - limit->second;
            found("user {} has {} units of product {}, and the limit is {}", who.second, units,
                  who.first, limit->second);
        }
    }

    void add_totals() {
        for (const auto& row : record_.orders)
            totals_[row.product].ordered += row.quantity;
        for (const auto& row : record_.movements) {
            auto& total = totals_[row.product];
            total.balance += row.delta;
            if (row.kind == movement_kind::sale) total.moved -= row.delta;
            if (row.kind == movement_kind::reduction) total.reduced -= row.delta;
        }
    }

    void check_product(const sold_product& product) {
        const auto [ordered, balance, moved, reduced] = totals_[product.id];
        if (const auto beyond = std::max(ordered, moved) - product.supplied; beyond > 0) {
            sums_.oversold += beyond;
            found("product {} was given {} units, {} are ordered and {} moved", product.id,
                  product.supplied, ordered, moved);
        }
        const auto row = std::ranges::find(record_.products, product.id, &product_row::id);
        if (row == record_.products.end()) {
            ++sums_.unbalanced;
            found("product {} is not in the stock database", product.id);
        } else if (row->supplied != product.supplied || row->stock < 0 || row->stock != balance ||
                   row->stock != row->supplied - moved - reduced) {
            ++sums_.unbalanced;
            found(
                "product {}: stock {}, given {} (by us {}), movements add up to {}, sold {}, "
                "reduced {}",
                product.id, row->stock, row->supplied, product.supplied, balance, moved, reduced);
        }
    }

    struct total {
        std::int64_t ordered = 0;  // units in orders
        std::int64_t balance = 0;  // all movements together
        std::int64_t moved = 0;    // units in sale movements
        std::int64_t reduced = 0;
    };

    const sale& sale_;
    const record& record_;
    sums sums_;
    std::unordered_map<uuid, const order_row*, uuid_hash> orders_;
    std::unordered_map<uuid, const movement_row*, uuid_hash> sales_;
    std::unordered_map<std::int64_t, total> totals_;
};

}  // namespace

bool sums::hold() const {
    return oversold == 0 && limit_exceeded == 0 && lost == 0 && duplicated == 0 && phantom == 0 &&
           stray_movements == 0 && unbalanced == 0;
}

sums add_up(const sale& clients, const record& databases) {
    return adder{clients, databases}.run();
}

}  // namespace flashsale::bench
