#include "record/life_sums.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace flashsale::bench {

namespace {

constexpr std::size_t findings_max = 12;

const char* name_of(order_state state) {
    switch (state) {
        case order_state::pending:
            return "PENDING";
        case order_state::paid:
            return "PAID";
        case order_state::cancelled:
            return "CANCELLED";
        case order_state::expired:
            return "EXPIRED";
        case order_state::other:
            break;
    }
    return "something else";
}

class adder {
public:
    adder(const held_sale& clients, const life_record& databases)
        : sale_{clients}, record_{databases} {}

    life_sums run() {
        for (const auto& row : record_.orders)
            rows_.emplace(row.id, &row);
        count_states();
        check_what_was_told();
        check_returns();
        check_payments();
        check_balances();
        check_limit();
        sums_.oversold = std::max(
            {std::int64_t{0}, paid_units_ - sale_.stock, sums_.held_at_once - sale_.stock});
        if (sums_.oversold > 0)
            found("{} units were supplied; {} are paid for, {} were held at once", sale_.stock,
                  paid_units_, sums_.held_at_once);
        return std::move(sums_);
    }

private:
    template <class... Args>
    void found(fmt::format_string<Args...> form, Args&&... args) {
        if (sums_.findings.size() == findings_max) sums_.findings.emplace_back("and more");
        if (sums_.findings.size() > findings_max) return;
        sums_.findings.push_back(fmt::format(form, std::forward<Args>(args)...));
    }

    void count_states() {
        std::vector<const life_row*> all;
        for (const auto& row : record_.orders) {
            all.push_back(&row);
            sums_.paid += row.state == order_state::paid;
            sums_.cancelled += row.state == order_state::cancelled;
            sums_.expired += row.state == order_state::expired;
            if (row.state == order_state::paid) paid_units_ += row.units;
            if (row.state == order_state::paid || has_ended(row.state)) continue;
            ++sums_.unfinished;
            found("order {} is {}", row.id.to_string(), name_of(row.state));
        }
        sums_.held_at_once = most_at_once(all);
    }

    void check_what_was_told() {
        for (const auto& order : sale_.orders) {
            if (order.state == order_state::pending) continue;
            const auto row = rows_.find(order.id);
            // One that is not stored at all is lost, which is counted elsewhere.
            if (row == rows_.end() || row->second->state == order.state) continue;
            ++sums_.misreported;
            found("order {} is {}, and must be {}", order.id.to_string(),
                  name_of(row->second->state), name_of(order.state));
        }
    }

    void check_returns() {
        std::unordered_map<uuid, std::int64_t, uuid_hash> units_of;
        for (const auto& row : record_.returns) {
            sums_.returned += row.units;
            const auto order = rows_.find(row.id);
            const bool first = units_of.emplace(row.id, row.units).second;
            if (first && order != rows_.end() && has_ended(order->second->state)) continue;
            ++sums_.unreturned;
            found("order {} has returned {} units, {}", row.id.to_string(), row.units,
                  first ? "and has not ended" : "once more");
        }
        for (const auto& row : record_.orders) {
            if (!has_ended(row.state)) continue;
            const auto back = units_of.find(row.id);
            if (back != units_of.end() && back->second == row.units) continue;
            ++sums_.unreturned;
            found("order {} has ended, and {} of its {} units have come back", row.id.to_string(),
                  back == units_of.end() ? 0 : back->second, row.units);
        }
        if (record_.returned == sums_.returned) return;
        ++sums_.unreturned;
        found("by the product {} units have come back, by its returns {}", record_.returned,
              sums_.returned);
    }

    void check_payments() {
        std::unordered_set<uuid, uuid_hash> paid;
        for (const auto& payment : record_.payments) {
            sums_.money += payment.amount;
            spent_[payment.user] += payment.amount;
            const auto order = rows_.find(payment.order);
            const bool first = paid.insert(payment.order).second;
            if (first && order != rows_.end() && order->second->state == order_state::paid &&
                order->second->user == payment.user &&
                payment.amount == sale_.price * order->second->units) {
                continue;
            }
            ++sums_.mispaid;
            found("user {} has paid {} for order {}, {}", payment.user, payment.amount,
                  payment.order.to_string(), first ? "which is not so" : "once more");
        }
        for (const auto& row : record_.orders) {
            if (row.state != order_state::paid || paid.contains(row.id)) continue;
            ++sums_.mispaid;
            found("order {} is PAID, and has no payment", row.id.to_string());
        }
    }

    void check_balances() {
        std::unordered_map<std::int64_t, std::int64_t> balances;
        for (const auto& row : record_.balances)
            balances.emplace(row.user, row.balance);
        for (const auto user : sale_.users) {
            const auto left = sale_.starting_balance - spent_[user];
            const auto has = balances.find(user);
            if (has != balances.end() && has->second == left) continue;
            ++sums_.misbalanced;
            found("user {} has {}, and payments have left {}", user,
                  has == balances.end() ? "no row" : std::to_string(has->second), left);
        }
    }

    void check_limit() {
        if (!sale_.per_user_limit) return;
        std::unordered_map<std::int64_t, std::vector<const life_row*>> bought;
        for (const auto& row : record_.orders)
            bought[row.user].push_back(&row);
        for (const auto& [user, orders] : bought) {
            const auto beyond = most_at_once(orders) - *sale_.per_user_limit;
            if (beyond <= 0) continue;
            sums_.limit_exceeded += beyond;
            found("user {} had {} units at once, and the limit is {}", user,
                  beyond + *sale_.per_user_limit, *sale_.per_user_limit);
        }
    }

    const held_sale& sale_;
    const life_record& record_;
    life_sums sums_;
    std::int64_t paid_units_ = 0;
    std::unordered_map<uuid, const life_row*, uuid_hash> rows_;
    std::unordered_map<std::int64_t, std::int64_t> spent_;
};

}  // namespace

order_state state_named(std::string_view name) {
    if (name == "PENDING" || name == "PAYING") return order_state::pending;
    if (name == "PAID") return order_state::paid;
    if (name == "CANCELLED") return order_state::cancelled;
    if (name == "EXPIRED") return order_state::expired;
    return order_state::other;
}

bool at_rest(const life_record& databases, std::size_t orders) {
    const auto ended = std::ranges::count_if(
        databases.orders, [](const life_row& row) { return has_ended(row.state); });
    const auto paid = std::ranges::count(databases.orders, order_state::paid, &life_row::state);
    return databases.orders.size() >= orders &&
           static_cast<std::size_t>(ended + paid) == databases.orders.size() &&
           databases.returns.size() >= static_cast<std::size_t>(ended);
}

bool life_sums::hold() const {
    return unfinished == 0 && oversold == 0 && misreported == 0 && unreturned == 0 &&
           mispaid == 0 && misbalanced == 0 && limit_exceeded == 0;
}

life_sums add_up(const held_sale& clients, const life_record& databases) {
    return adder{clients, databases}.run();
}

std::int64_t most_at_once(std::span<const life_row* const> orders) {
    using std::chrono::floor;
    using std::chrono::milliseconds;
    std::vector<std::pair<std::chrono::sys_time<milliseconds>, std::int64_t>> changes;
    for (const auto* row : orders) {
        changes.emplace_back(floor<milliseconds>(row->created_at), row->units);
        if (has_ended(row->state) && row->since)
            changes.emplace_back(floor<milliseconds>(*row->since), -row->units);
    }
    std::ranges::sort(changes);
    std::int64_t now = 0, most = 0;
    for (const auto& [when, units] : changes)
        most = std::max(most, now += units);
    return most;
}

}  // namespace flashsale::bench
