#include "life_work.hpp"

#include <spdlog/spdlog.h>

#include <unordered_map>
#include <unordered_set>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/base/must_hold.hpp>
#include <flashsale/user/charges.hpp>

namespace flashsale::order {

namespace {

using failed = change_failure::kind;
using id_set = std::unordered_set<uuid, uuid_hash>;
template <class T>
using by_id = std::unordered_map<uuid, T, uuid_hash>;

std::unexpected<std::string> text_of(const life_fault& fault) {
    return std::unexpected(fault.message);
}

paid paid_by(const payment& one) {
    return {one.id, one.amount, one.created_at};
}

bool is_payment(const asked_change& one) {
    return one.what.what == change_request::kind::pay_from_balance;
}

}  // namespace

life_work::done life_work::change(const batch& asked, deadline now) {
    must_hold(asked.size() <= batch_orders_max_, "a batch of changes is bounded");
    // Two for one order: the second is told what the first has made of it.
    id_set seen;
    batch first, payments, cancellations, rest;
    for (asked_change* one : asked) {
        if (seen.insert(one->what.order_id).second) first.push_back(one);
    }
    if (auto recorded = record_those_asked_for(first, now); !recorded) return recorded;
    for (asked_change* one : first) {
        if (!one->answer) (is_payment(*one) ? payments : cancellations).push_back(one);
    }
    // The user database may be away, which hinders payments alone.
    const auto paid = pay(payments, rest);
    const auto cancelled = cancel(cancellations, rest);
    const auto explained = explain(rest);
    return !paid ? paid : !cancelled ? cancelled : explained;
}

life_work::done life_work::record_those_asked_for(const batch& asked, deadline now) {
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

life_work::done life_work::pay(const batch& asked, batch& rest) {
    std::vector<payment_request> requests;
    for (asked_change* one : asked) {
        if (one->payment_id == uuid{}) one->payment_id = ids_.make(one->what.order_id.shard());
        requests.push_back({one->what.order_id, one->payment_id, one->what.idempotency_key});
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
            to_start.push_back({one->what.order_id, one->payment_id, one->what.idempotency_key});
            by_payment.emplace(one->payment_id, one);
        } else if (found->second->state == payment_state::failed) {
            one->fail(failed::insufficient_balance, {}, true);
        } else if (found->second->state == payment_state::succeeded) {
            rest.push_back(one);
        }  // else it is under way
    }
    const auto started = uses_.orders.start_payments(to_start);
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
            of.answer = changed{*state->second, paid_by(one), false};
        by_payment.erase(one.id);
    }
    for (const payment& one : money->declined) {
        by_payment.at(one.id)->fail(failed::insufficient_balance);
        by_payment.erase(one.id);
    }
    for (const auto& [id, one] : by_payment)
        rest.push_back(one);
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

life_work::done life_work::cancel(const batch& asked, batch& rest) {
    std::vector<cancel_request> requests;
    by_id<asked_change*> by_order;
    for (asked_change* one : asked) {
        requests.push_back({one->what.order_id, one->what.reason, one->what.restock});
        by_order.emplace(one->what.order_id, one);
    }
    const auto ended = uses_.orders.cancel(requests);
    if (!ended) return text_of(ended.error());
    for (const ended_order& one : *ended) {
        by_order.at(one.what.id)->answer = changed{one.what, {}, false};
        by_order.erase(one.what.id);
    }
    for (const auto& [id, one] : by_order)
        rest.push_back(one);
    if (auto returned = return_units(*ended); !returned) return returned;
    remove_events(*ended);
    return {};
}

// Both databases have these orders. Until the recorder finds that out, the outbox would show them
// as they were accepted. One that stays is only published once more.
void life_work::remove_events(std::span<const ended_order> recorded) {
    if (recorded.empty()) return;
    std::vector<stock::recorded_event> events;
    for (const ended_order& one : recorded)
        events.push_back({one.what.id, one.what.id.shard(), one.units.taken.epoch});
    (void)wait_for<std::expected<void, stock::errc>>(
        uses_.wait, [&](auto done) { uses_.outbox.prune(std::move(events), std::move(done)); });
}

// ---- what was not changed

life_work::done life_work::explain(const batch& rest) {
    if (rest.empty()) return {};
    std::vector<uuid> ids, payable;
    for (const asked_change* one : rest) {
        ids.push_back(one->what.order_id);
        if (is_payment(*one)) payable.push_back(one->what.order_id);
    }
    const auto found = uses_.orders.find(ids);
    if (!found) return text_of(found.error());
    const auto succeeded = uses_.orders.find_succeeded(payable);
    if (!succeeded) return text_of(succeeded.error());
    by_id<const order*> states;
    by_id<const payment*> payments;
    for (const order& one : *found)
        states.emplace(one.id, &one);
    for (const payment& one : *succeeded)
        payments.emplace(one.order_id, &one);
    for (asked_change* one : rest) {
        const auto state = states.find(one->what.order_id);
        if (state == states.end()) {
            if (one->what.event.empty()) one->fail(failed::not_recorded);
            continue;  // else the recorder may still do it
        }
        if (is_payment(*one)) {
            const auto by = payments.find(one->what.order_id);
            explain_payment(*one, *state->second, by == payments.end() ? nullptr : by->second);
        } else {
            explain_cancellation(*one, *state->second);
        }
    }
    return {};
}

// PAYING is decided soon, and PENDING was another state a moment ago, or is one soon: its time is
// up, or another has begun to change it. Both are asked for again.
void life_work::explain_payment(asked_change& one, const order& state, const payment* by) {
    if (state.status == order_status::pending || state.status == order_status::paying) return;
    const bool ours =
        by != nullptr && (one.what.key_is_ours || by->idempotency_key == one.what.idempotency_key);
    if (state.status == order_status::paid && ours) {
        one.answer = changed{state, paid_by(*by), true};
    } else {
        one.fail(failed::not_payable, state);
    }
}

void life_work::explain_cancellation(asked_change& one, const order& state) {
    switch (state.status) {
        case order_status::cancelled:
            one.answer = changed{state, {}, true};
            return;
        case order_status::paid:
        case order_status::expired:
            return one.fail(failed::not_cancellable, state);
        case order_status::success:
        case order_status::pending:
        case order_status::paying:
            return;
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
    if (auto done = return_units(*ended); !done) return std::unexpected(done.error());
    return ended->size() == batch_orders_max_;
}

std::expected<bool, std::string> life_work::resume() {
    expired_from_ = {};  // what another process had begun to end, and has not
    const auto payments = uses_.orders.unfinished_payments(batch_orders_max_);
    if (!payments) return text_of(payments.error());
    const auto money = decide(*payments);
    const auto ended = uses_.orders.returns_due(batch_orders_max_);
    if (!ended) return text_of(ended.error());
    if (auto done = return_units(*ended); !done) return std::unexpected(done.error());
    if (!money) return std::unexpected(money.error());
    return payments->size() == batch_orders_max_ || ended->size() == batch_orders_max_;
}

life_work::done life_work::return_units(std::span<const ended_order> ended) {
    if (ended.empty()) return {};
    faults::pass(faults::place::order_ended);
    std::vector<stock::ended_line> lines;
    lines.reserve(ended.size());
    for (const ended_order& one : ended)
        lines.push_back(one.units);
    auto recorded = uses_.units.record(lines);
    if (!recorded) return std::unexpected("stock database: " + recorded.error());
    id_set refused;
    for (const stock::refused_movement& one : recorded->refused) {
        spdlog::error("order {} has ended, and its units cannot be returned: {}",
                      one.of.order_id.to_string(), one.reason);
        refused.insert(one.of.order_id);
    }
    faults::pass(faults::place::units_returned);
    const auto told = wait_for<std::expected<void, stock::errc>>(uses_.wait, [&](auto done) {
        uses_.gate.take_returns(std::move(recorded->units), std::move(done));
    });
    if (!told) return std::unexpected("the gate was not told of returned units");
    faults::pass(faults::place::gate_told);
    std::vector<uuid> finished;
    for (const ended_order& one : ended) {
        if (!refused.contains(one.what.id)) finished.push_back(one.what.id);
    }
    if (const auto done = uses_.orders.returned(finished); !done) return text_of(done.error());
    return {};
}

}  // namespace flashsale::order
