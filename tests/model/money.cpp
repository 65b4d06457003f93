// The statements of src/order/life/money_store.cpp and replacement_store.cpp.

#include <algorithm>

#include "lives.hpp"
#include "promises.hpp"

namespace flashsale::model {

using namespace std::chrono_literals;
using order::order_status;
using order::payment;
using order::payment_method;
using order::payment_state;

namespace {

std::int64_t total_of(const order::order& one) {
    return one.quantity * one.unit_price;
}

}  // namespace

bool life_tables::is_too_late(const head& one) const {
    const order_status state = state_of(one);
    return state == order_status::expired ||
           (state == order_status::cancelled && one.restock && one.what.was_held());
}

bool life_tables::is_here(const payment& one) const {
    return one.state == payment_state::started && one.received_at;
}

void life_tables::owe(payment& one, const uuid& refund_id, std::string why, std::string reason) {
    in_.tell("order database", "payment {} is owed: {}", short_id(one.id.to_string()), why);
    if (one.state != payment_state::succeeded) one.decided_at = wall_clock_now();
    one.state = payment_state::refund_due;
    one.reason = std::move(why);
    due_refund back{{.id = refund_id,
                     .payment_id = one.id,
                     .order_id = one.order_id,
                     .user_id = one.user_id,
                     .method = one.method,
                     .amount = one.amount,
                     .reason = std::move(reason),
                     .created_at = wall_clock_now()},
                    {}};
    refunds.emplace(refund_id, std::move(back));
}

void life_tables::pay_by(head& one, payment& by) {
    change_to(one, order_status::paid);
    one.due_at.reset();
    one.payment_id = by.id;
    by.state = payment_state::succeeded;
    by.decided_at = wall_clock_now();
}

// ---- money_store

void life_tables::receive(const std::vector<order::told_payment>& told) {
    for (const order::told_payment& one : told) {
        const head* const of = find_head(one.order_id);
        if (!of) continue;
        const order_status state = state_of(*of);
        const bool can_be_paid =
            (state == order_status::pending || state == order_status::paying) &&
            of->what.expires_at > wall_clock_now();
        if (one.announced && !can_be_paid) continue;
        const auto there = std::ranges::find_if(
            payments, [&](const auto& each) { return each.second.reference == one.reference; });
        if (there == payments.end()) {
            payment made{.id = one.payment_id,
                         .order_id = one.order_id,
                         .user_id = of->what.user_id,
                         .method = payment_method::external,
                         .amount = one.amount,
                         .idempotency_key = "external " + one.payment_id.to_string(),
                         .reference = one.reference,
                         .created_at = wall_clock_now()};
            if (!one.announced) made.received_at = wall_clock_now();
            payments.emplace(made.id, std::move(made));
            continue;
        }
        payment& known = there->second;
        if (one.announced || known.received_at || known.state != payment_state::started ||
            known.order_id != one.order_id)
            continue;
        known.received_at = wall_clock_now();
        known.amount = one.amount;
    }
}

std::vector<payment> life_tables::find_by_reference(
    const std::vector<std::string>& references) const {
    std::vector<payment> out;
    for (const auto& [id, one] : payments) {
        if (std::ranges::find(references, one.reference) != references.end()) out.push_back(one);
    }
    return out;
}

void life_tables::put_off_end(const uuids& orders, std::chrono::seconds grace) {
    for (const uuid& id : orders) {
        head* const one = find_head(id);
        if (!one || !is_held_now(*one) || one->extended) continue;
        one->extended = true;
        one->what.expires_at = *one->what.expires_at + grace;
        one->due_at = one->what.expires_at;
    }
}

void life_tables::refuse_received(const uuids& asked, const uuids& refund_ids) {
    for (std::size_t i = 0; i < asked.size(); ++i) {
        payment& one = payments.at(asked[i]);
        const head& of = heads.at(one.order_id);
        const order_status state = state_of(of);
        if (!is_here(one)) continue;
        const bool mismatch = one.amount != total_of(of.what);
        const bool can_be_paid = state == order_status::pending || state == order_status::paying;
        if (!mismatch && (can_be_paid || is_too_late(of))) continue;
        const std::string why = mismatch ? "amount_mismatch" : "order_not_payable";
        owe(one, refund_ids[i], why, why);
    }
}

void life_tables::begin_placing(const uuids& asked) {
    for (const uuid& id : asked) {
        payment& one = payments.at(id);
        const head& of = heads.at(one.order_id);
        if (is_here(one) && one.amount == total_of(of.what) && is_too_late(of))
            one.state = payment_state::placing;
    }
}

void life_tables::use_received(const uuids& asked) {
    uuids ascending = asked;
    std::ranges::sort(ascending);
    for (const uuid& id : ascending) {
        payment& one = payments.at(id);
        head& of = heads.at(one.order_id);
        if (!is_here(one) || one.amount != total_of(of.what) || !is_held_now(of)) continue;
        pay_by(of, one);
    }
}

std::vector<payment> life_tables::find_money(const uuids& asked) const {
    std::vector<payment> out;
    for (const uuid& id : asked) {
        const auto found = payments.find(id);
        if (found != payments.end()) out.push_back(found->second);
    }
    return out;
}

std::vector<payment> life_tables::received_undecided(std::size_t payments_max) const {
    std::vector<payment> out;
    for (const auto& [id, one] : payments) {
        if (!one.decided_at && one.received_at && *one.received_at <= wall_clock_now() - 1s)
            out.push_back(one);
    }
    std::ranges::sort(out, {}, [](const payment& one) {
        return std::pair(one.state == payment_state::placing, *one.received_at);
    });
    if (out.size() > payments_max) out.resize(payments_max);
    return out;
}

std::vector<order::ended_order> life_tables::refund_orders(
    const std::vector<order::refund_request>& asked) {
    std::vector<order::ended_order> out;
    for (const order::refund_request& by : asked) {
        head* const one = find_head(by.order_id);
        if (!one || state_of(*one) != order_status::paid || !one->payment_id) continue;
        payment& paid = payments.at(*one->payment_id);
        owe(paid, by.refund_id, "order_refunded", by.reason);
        if (paid.method == payment_method::balance)
            refunds.at(by.refund_id).due_at = wall_clock_now() + 1s;
        out.push_back(end(*one, order_status::refunded, by.restock));
    }
    return out;
}

std::vector<order::refund> life_tables::refunds_of(const uuids& orders) const {
    std::vector<order::refund> out;
    for (const uuid& id : orders) {
        const auto found = heads.find(id);
        if (found == heads.end() || !found->second.payment_id) continue;
        for (const auto& [refund_id, one] : refunds) {
            if (one.what.payment_id == *found->second.payment_id) out.push_back(one.what);
        }
    }
    return out;
}

std::vector<order::refund> life_tables::refunds_due(std::size_t refunds_max) const {
    std::vector<order::refund> out;
    for (const auto& [id, one] : refunds) {
        if (one.due_at && *one.due_at <= wall_clock_now() && out.size() < refunds_max)
            out.push_back(one.what);
    }
    return out;
}

void life_tables::given_back(const uuids& asked) {
    for (const uuid& id : asked) {
        due_refund& one = refunds.at(id);
        if (one.what.state != order::refund_state::pending ||
            one.what.method != payment_method::balance)
            continue;
        one.what.state = order::refund_state::succeeded;
        one.what.done_at = wall_clock_now();
        one.due_at.reset();
        payments.at(one.what.payment_id).state = payment_state::refunded;
    }
}

void life_tables::put_off_refunds(const uuids& asked) {
    for (const uuid& id : asked) {
        due_refund& one = refunds.at(id);
        if (one.due_at) one.due_at = wall_clock_now() + 1min;
    }
}

// ---- replacement_store

std::vector<order::late_payment> life_tables::late(const uuids& asked) const {
    std::vector<order::late_payment> out;
    for (const payment& one : find_money(asked)) {
        if (one.state != payment_state::placing) continue;
        const head& old = heads.at(one.order_id);
        out.push_back({one, old.what, !old.due_at});
    }
    return out;
}

void life_tables::pay(const std::vector<order::replacement>& by) {
    for (const order::replacement& one : by) {
        payment& money = payments.at(one.payment_id);
        if (money.state != payment_state::placing) continue;
        const order::order& old = heads.at(money.order_id).what;
        head* const made = find_head(one.order_id);
        if (!made || !is_held_now(*made) || made->what.user_id != old.user_id ||
            made->what.product_id != old.product_id || made->what.quantity != old.quantity)
            continue;
        made->what.unit_price = old.unit_price;
        money.replaces = money.order_id;
        money.order_id = one.order_id;
        pay_by(*made, money);
    }
}

void life_tables::give_up(const uuids& asked, const uuids& refund_ids) {
    for (std::size_t i = 0; i < asked.size(); ++i) {
        payment& one = payments.at(asked[i]);
        if (one.state == payment_state::placing)
            owe(one, refund_ids[i], "payment_too_late", "payment_too_late");
    }
}

}  // namespace flashsale::model
