#include "life_work.hpp"

#include <flashsale/base/fault_points.hpp>
#include <flashsale/base/must_hold.hpp>
#include <flashsale/user/charges.hpp>

namespace flashsale::order {

namespace {

using failed = change_failure::kind;
using asks = change_request::kind;

payment succeeded(payment what) {
    what.state = payment_state::succeeded;
    return what;
}

}  // namespace

done life_work::change(const batch& asked, deadline now) {
    must_hold(asked.size() <= batch_orders_max_, "a batch of changes is bounded");
    // Two for one order: the second is told what the first has made of it.
    id_set seen;
    batch first, payments, cancellations, outside, refunds;
    for (asked_change* one : asked) {
        if (seen.insert(one->what.order_id).second) first.push_back(one);
    }
    if (auto recorded = record_those_asked_for(first, now); !recorded) return recorded;
    for (asked_change* one : first) {
        if (one->answer) continue;
        switch (one->what.what) {
            case asks::pay_from_balance:
                payments.push_back(one);
                break;
            case asks::pay_from_outside:
                outside.push_back(one);
                break;
            case asks::cancel:
                cancellations.push_back(one);
                break;
            case asks::refund:
                refunds.push_back(one);
                break;
        }
    }
    // The user database may be away, which hinders payments from it alone.
    const done all[] = {pay(payments), cancel(cancellations), money_.take_in(outside),
                        money_.refund_orders(refunds), explain(first)};
    for (const done& one : all) {
        if (!one) return one;
    }
    return {};
}

done life_work::record_those_asked_for(const batch& asked, deadline now) {
    std::vector<events::order_accepted> orders;
    for (asked_change* one : asked) {
        if (one->what.event.empty() || now < one->record_at) continue;
        auto event = events::parse(one->what.event);
        auto* order = event ? std::get_if<events::order_accepted>(&*event) : nullptr;
        if (order != nullptr) orders.push_back(std::move(*order));
        one->what.event.clear();  // once
    }
    if (orders.empty()) return {};
    const auto report = uses_.record.record(orders, {});
    if (!report) return std::unexpected(report.error());
    const id_set late(report->late.begin(), report->late.end());
    const id_set parked(report->parked.begin(), report->parked.end());
    for (asked_change* one : asked) {
        if (late.contains(one->what.order_id) || parked.contains(one->what.order_id))
            one->fail(failed::late);
    }
    return {};
}

// ---- payments

done life_work::pay(const batch& asked) {
    if (asked.empty()) return {};
    std::vector<payment_request> requests;
    for (asked_change* one : asked) {
        if (one->new_id == uuid{}) one->new_id = ids_.make(one->what.order_id.shard());
        requests.push_back({one->what.order_id, one->new_id, one->what.idempotency_key});
    }
    const auto before = uses_.orders.find_payments(requests);
    if (!before) return text_of(before.error());
    by_id<const payment*> known;
    for (const payment& one : *before)
        known.emplace(one.order_id, &one);

    std::vector<payment_request> to_start;
    by_id<asked_change*> by_payment;
    for (asked_change* one : asked) {
        const auto found = known.find(one->what.order_id);
        if (found == known.end()) {
            to_start.push_back({one->what.order_id, one->new_id, one->what.idempotency_key});
            by_payment.emplace(one->new_id, one);
        } else if (found->second->state == payment_state::failed) {
            one->fail({.why = failed::insufficient_balance, .replayed = true});
        }  // else it is under way, or has paid
    }
    const auto started = uses_.orders.start_payments(to_start, currency_);
    if (!started && started.error().twin) return {};  // it is found the next time
    if (!started) return text_of(started.error());
    faults::pass(faults::place::payment_started);
    const auto money = decide(*started);
    if (!money) return std::unexpected(money.error());
    std::vector<uuid> ids;
    for (const payment& one : money->taken)
        ids.push_back(one.order_id);
    const auto states = uses_.orders.find(ids);
    if (!states) return text_of(states.error());
    by_id<const order*> paid_orders;
    for (const order& one : *states)
        paid_orders.emplace(one.id, &one);
    for (const payment& one : money->taken) {
        asked_change& of = *by_payment.at(one.id);
        const auto state = paid_orders.find(one.order_id);
        if (state != paid_orders.end() && state->second->status == order_status::paid)
            of.answer = changed{.what = *state->second, .by = succeeded(one)};
    }
    for (const payment& one : money->declined)
        by_payment.at(one.id)->fail(failed::insufficient_balance);
    return {};
}

std::expected<life_work::decided, std::string> life_work::decide(std::span<const payment> started) {
    decided out;
    if (started.empty()) return out;
    std::vector<user::charge> charges;
    for (const payment& one : started)
        charges.push_back({one.id, one.order_id, one.user_id, one.amount});
    const auto decisions = uses_.balances.decide(charges);
    if (!decisions) return std::unexpected("user database: " + decisions.error());
    must_hold(decisions->size() == started.size(), "each charge is decided");
    for (std::size_t i = 0; i < started.size(); ++i) {
        const bool taken = (*decisions)[i] == user::charge_decision::taken;
        (taken ? out.taken : out.declined).push_back(started[i]);
    }
    faults::pass(faults::place::payment_decided);
    if (const auto done = uses_.orders.finish_taken(out.taken); !done) return text_of(done.error());
    if (const auto done = uses_.orders.finish_declined(out.declined); !done)
        return text_of(done.error());
    faults::pass(faults::place::payment_finished);
    return out;
}

// ---- cancellations

done life_work::cancel(const batch& asked) {
    if (asked.empty()) return {};
    std::vector<cancel_request> requests;
    by_id<asked_change*> by_order;
    for (asked_change* one : asked) {
        requests.push_back({one->what.order_id, one->what.reason, one->what.restock});
        by_order.emplace(one->what.order_id, one);
    }
    const auto ended = uses_.orders.cancel(requests);
    if (!ended) return text_of(ended.error());
    for (const ended_order& one : *ended)
        by_order.at(one.what.id)->answer = changed{.what = one.what};
    if (auto returned = units_.give_back(*ended); !returned) return returned;
    units_.remove_events(*ended);
    return {};
}

// ---- what was not changed

done life_work::explain(const batch& asked) {
    batch rest;
    std::vector<uuid> ids;
    for (asked_change* one : asked) {
        if (one->answer) continue;
        rest.push_back(one);
        ids.push_back(one->what.order_id);
    }
    if (rest.empty()) return {};
    const auto found = uses_.orders.find(ids);
    if (!found) return text_of(found.error());
    const auto paid = uses_.orders.find_succeeded(ids);
    if (!paid) return text_of(paid.error());
    const auto refunds = uses_.money.refunds_of(ids);
    if (!refunds) return text_of(refunds.error());
    by_id<what_there_is> states;
    for (const order& one : *found)
        states[one.id].state = &one;
    for (const payment& one : *paid)
        states[one.order_id].by = &one;
    for (const refund& one : *refunds)
        states[one.order_id].back = &one;
    for (asked_change* one : rest) {
        const auto there = states.find(one->what.order_id);
        if (there == states.end() || there->second.state == nullptr) {
            if (one->what.event.empty()) one->fail(failed::not_recorded);
            continue;  // else the recorder may still do it
        }
        switch (one->what.what) {
            case asks::pay_from_balance:
                explain_payment(*one, there->second);
                break;
            case asks::pay_from_outside:
                explain_announcement(*one, there->second);
                break;
            case asks::cancel:
                explain_cancellation(*one, *there->second.state);
                break;
            case asks::refund:
                explain_refund(*one, there->second);
                break;
        }
    }
    return {};
}

// PAYING is decided soon, and PENDING was another state a moment ago, or is one soon: its time is
// up, or another has begun to change it. Both are asked for again.
void life_work::explain_payment(asked_change& one, const what_there_is& is) const {
    const auto status = is.state->status;
    if (status == order_status::pending && is.state->currency.or_else(currency_) != currency_)
        return one.fail(failed::other_currency, *is.state);
    if (status == order_status::pending || status == order_status::paying) return;
    const bool ours = is.by != nullptr && is.by->method == payment_method::balance &&
                      (one.what.key_is_ours || is.by->idempotency_key == one.what.idempotency_key);
    if (ours && (status == order_status::paid || status == order_status::refunded)) {
        one.answer = changed{.what = *is.state, .by = *is.by, .replayed = true};
    } else {
        one.fail(failed::not_payable, *is.state);
    }
}

// Money that is here is always kept, so this was only announced, for an order that takes none.
void life_work::explain_announcement(asked_change& one, const what_there_is& is) {
    const auto status = is.state->status;
    if (!one.what.announced || status == order_status::pending || status == order_status::paying)
        return;
    one.fail(failed::not_payable, *is.state);
}

void life_work::explain_cancellation(asked_change& one, const order& state) {
    switch (state.status) {
        case order_status::cancelled:
            one.answer = changed{.what = state, .replayed = true};
            return;
        case order_status::paid:
        case order_status::expired:
        case order_status::refunded:
            return one.fail(failed::not_cancellable, state);
        case order_status::success:
        case order_status::pending:
        case order_status::paying:
            return;
    }
}

void life_work::explain_refund(asked_change& one, const what_there_is& is) {
    if (is.state->status == order_status::paid) return;
    if (is.state->status == order_status::refunded && is.back != nullptr) {
        one.answer = changed{.what = *is.state, .back = *is.back, .replayed = true};
    } else {
        one.fail(failed::not_refundable, *is.state);
    }
}

// ---- what no request asks for

std::expected<bool, std::string> life_work::expire() {
    const auto ended = uses_.orders.expire(batch_orders_max_, expired_from_);
    if (!ended) return text_of(ended.error());
    expired_from_ = {};
    if (ended->size() == batch_orders_max_) {
        for (const ended_order& one : *ended)
            expired_from_ = std::max(expired_from_, one.what.expires_at.value());
    }
    if (auto done = units_.give_back(*ended); !done) return std::unexpected(done.error());
    return ended->size() == batch_orders_max_;
}

std::expected<bool, std::string> life_work::resume() {
    expired_from_ = {};  // what another process had begun to end, and has not
    const auto payments = uses_.orders.unfinished_payments(batch_orders_max_);
    if (!payments) return text_of(payments.error());
    // Each has its own databases, and what is away hinders no other.
    const auto money = decide(*payments);
    const auto more = money_.resume();
    const auto ended = uses_.orders.returns_due(batch_orders_max_);
    if (!ended) return text_of(ended.error());
    if (auto done = units_.give_back(*ended); !done) return std::unexpected(done.error());
    const auto cancelled = sales_.go_on();
    if (!money) return std::unexpected(money.error());
    if (!more) return more;
    if (!cancelled) return cancelled;
    return *more || *cancelled || payments->size() == batch_orders_max_ ||
           ended->size() == batch_orders_max_;
}

}  // namespace flashsale::order
