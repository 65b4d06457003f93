#include "lives.hpp"

#include <flashsale/order/recovery.hpp>

#include <algorithm>

#include "promises.hpp"

namespace flashsale::model {

using namespace std::chrono_literals;
using order::has_ended;
using order::order_status;
using order::payment;
using order::payment_state;

namespace {

/// After so long what a process has begun is any process's.
constexpr auto resumed_after = 1s;

template <class T>
void sort_and_limit(std::vector<std::pair<timestamp, T>>& all, std::size_t most) {
    std::ranges::sort(all, {}, &std::pair<timestamp, T>::first);
    if (all.size() > most) all.resize(most);
}

template <class T>
std::vector<T> in_turn(std::vector<std::pair<timestamp, T>> all, std::size_t most) {
    sort_and_limit(all, most);
    std::vector<T> out;
    for (auto& [when, what] : all)
        out.push_back(std::move(what));
    return out;
}

}  // namespace

void life_tables::add(const stock::allocation& taken, timestamp created_at) {
    head one;
    one.taken = taken;
    one.what = order::accepted_order({.id = taken.order_id,
                                      .user_id = taken.user_id,
                                      .product_id = taken.product_id,
                                      .quantity = taken.quantity,
                                      .unit_price = taken.unit_price,
                                      .created_at = created_at,
                                      .currency = taken.currency,
                                      .payment_window_s = taken.payment_window_s});
    one.has_life = one.what.was_held();
    one.due_at = one.what.expires_at;
    heads.emplace(taken.order_id, std::move(one));
}

// ---- states

life_tables::states life_tables::seen() const {
    states out;
    for (const auto& [id, one] : heads)
        out.emplace(id, one.what.status);
    return out;
}

order_status life_tables::state_of(const head& one) const {
    if (!seen_) return one.what.status;
    const auto found = seen_->find(one.what.id);
    return found == seen_->end() ? one.what.status : found->second;
}

void life_tables::change_to(head& one, order_status to) {
    const order_status from = one.what.status;
    in_.tell("order database", "{}: {} becomes {}", short_id(one.what.id.to_string()),
             order::text_of(from), order::text_of(to));
    changes.push_back({one.what.id, from, to});
    one.what.status = to;
    one.what.status_since = wall_clock_now();
}

life_tables::head* life_tables::find_head(const uuid& id) {
    const auto found = heads.find(id);
    return found == heads.end() ? nullptr : &found->second;
}

order::ended_order life_tables::ended(const head& one) {
    stock::allocation taken;
    taken.order_id = one.taken.order_id;
    taken.line = one.taken.line;
    taken.product_id = one.taken.product_id;
    taken.user_id = one.taken.user_id;
    taken.quantity = one.taken.quantity;
    taken.epoch = one.taken.epoch;
    taken.seq = one.taken.seq;
    return {one.what, {order::movement_of(std::move(taken)), one.what.user_id, one.restock}};
}

order::ended_order life_tables::end(head& one, order_status to, bool restock) {
    change_to(one, to);
    one.has_life = true;
    one.restock = restock;
    one.due_at = wall_clock_now() + resumed_after;
    return ended(one);
}

bool life_tables::is_held_now(const head& one) const {
    return state_of(one) == order_status::pending && one.what.expires_at > wall_clock_now();
}

// ---- life_store

std::vector<order::order> life_tables::find(const uuids& ids) const {
    std::vector<order::order> out;
    for (const uuid& id : ids) {
        const auto found = heads.find(id);
        if (found != heads.end()) out.push_back(found->second.what);
    }
    return out;
}

std::vector<payment> life_tables::find_payments(const std::vector<order::payment_request>& asked) {
    std::vector<payment> out;
    for (const auto& [id, one] : payments) {
        for (const order::payment_request& by : asked) {
            if (one.order_id == by.order_id && one.idempotency_key == by.idempotency_key)
                out.push_back(one);
        }
    }
    return out;
}

std::vector<payment> life_tables::find_succeeded(const uuids& orders) const {
    std::vector<payment> out;
    for (const uuid& id : orders) {
        const auto found = heads.find(id);
        if (found == heads.end() || !found->second.payment_id) continue;
        const auto by = payments.find(*found->second.payment_id);
        if (by != payments.end() && by->second.decided_at) out.push_back(by->second);
    }
    return out;
}

std::vector<order::ended_order> life_tables::cancel(
    const std::vector<order::cancel_request>& asked) {
    std::vector<order::ended_order> out;
    for (const order::cancel_request& by : asked) {
        head* const one = find_head(by.order_id);
        if (!one) continue;
        const order_status state = state_of(*one);
        if (state == order_status::success || state == order_status::pending)
            out.push_back(end(*one, order_status::cancelled, by.restock));
    }
    return out;
}

std::vector<order::ended_order> life_tables::expire(std::size_t orders_max, timestamp from) {
    std::vector<std::pair<timestamp, head*>> due;
    const timestamp now = wall_clock_now();
    for (auto& [id, one] : heads) {
        if (state_of(one) == order_status::pending && one.due_at && *one.due_at >= from &&
            *one.due_at <= now)
            due.emplace_back(*one.due_at, &one);
    }
    sort_and_limit(due, orders_max);
    std::vector<order::ended_order> out;
    for (const auto& [when, one] : due)
        out.push_back(end(*one, order_status::expired, one->restock));
    return out;
}

std::optional<std::vector<payment>> life_tables::start_payments(
    const std::vector<order::payment_request>& asked) {
    for (const payment& there : find_payments(asked)) {
        const head* const one = find_head(there.order_id);
        if (one && is_held_now(*one)) return std::nullopt;
    }
    std::vector<payment> out;
    for (const order::payment_request& by : asked) {
        head* const one = find_head(by.order_id);
        if (!one || !is_held_now(*one)) continue;
        change_to(*one, order_status::paying);
        one->due_at = wall_clock_now() + resumed_after;
        one->payment_id = by.payment_id;
        const payment made{.id = by.payment_id,
                           .order_id = by.order_id,
                           .user_id = one->what.user_id,
                           .amount = one->what.quantity * one->what.unit_price,
                           .idempotency_key = by.idempotency_key,
                           .created_at = wall_clock_now()};
        payments.emplace(made.id, made);
        out.push_back(made);
    }
    return out;
}

void life_tables::finish(const std::vector<payment>& decided, bool taken) {
    for (const payment& by : decided) {
        head* const one = find_head(by.order_id);
        if (!one || state_of(*one) != order_status::paying || one->payment_id != by.id) continue;
        change_to(*one, taken ? order_status::paid : order_status::pending);
        one->due_at = taken ? std::nullopt : one->what.expires_at;
        if (!taken) one->payment_id.reset();
        payment& row = payments.at(by.id);
        if (row.state != payment_state::started) continue;
        row.state = taken ? payment_state::succeeded : payment_state::failed;
        row.decided_at = wall_clock_now();
    }
}

std::vector<payment> life_tables::unfinished_payments(std::size_t payments_max) const {
    std::vector<std::pair<timestamp, payment>> out;
    for (const auto& [id, one] : heads) {
        if (one.what.status == order_status::paying && one.payment_id && one.due_at &&
            *one.due_at <= wall_clock_now())
            out.emplace_back(*one.due_at, payments.at(*one.payment_id));
    }
    return in_turn(std::move(out), payments_max);
}

std::vector<order::ended_order> life_tables::returns_due(std::size_t orders_max) const {
    std::vector<std::pair<timestamp, order::ended_order>> out;
    for (const auto& [id, one] : heads) {
        if (has_ended(one.what.status) && one.due_at && *one.due_at <= wall_clock_now())
            out.emplace_back(*one.due_at, ended(one));
    }
    return in_turn(std::move(out), orders_max);
}

bool life_tables::returned(const std::vector<order::returned_order>& orders, std::uint64_t fence) {
    std::size_t cleared = 0;
    for (const order::returned_order& by : orders) {
        head* const one = find_head(by.id);
        if (!one || !has_ended(one->what.status) || fence > by.epoch) continue;
        one->due_at.reset();
        ++cleared;
    }
    return cleared == orders.size();
}

void life_tables::put_off(const uuids& orders) {
    for (const uuid& id : orders) {
        head* const one = find_head(id);
        if (one && one->due_at && has_ended(one->what.status))
            one->due_at = wall_clock_now() + 1min;
    }
}

bool life_tables::at_rest() const {
    return std::ranges::none_of(heads, [](const auto& one) { return !!one.second.due_at; }) &&
           std::ranges::none_of(refunds, [](const auto& one) { return !!one.second.due_at; }) &&
           std::ranges::none_of(payments, [](const auto& one) {
               return one.second.received_at && !one.second.decided_at;
           });
}

}  // namespace flashsale::model
