#include "money_work.hpp"

#include <spdlog/spdlog.h>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/user/credits.hpp>

namespace flashsale::order {

namespace {

using failed = change_failure::kind;

bool is_undecided(const payment& what) {
    return what.received_at.has_value() &&
           (what.state == payment_state::started || what.state == payment_state::placing);
}

/// Before it was refunded with its order.
bool has_paid(const payment& what) {
    return what.reason == "order_refunded";
}

failed why_owed(const payment& what) {
    if (what.reason == "amount_mismatch") return failed::amount_mismatch;
    return what.reason == "payment_too_late" ? failed::too_late : failed::not_payable;
}

}  // namespace

done money_work::take_in(const batch& asked) {
    std::vector<told_payment> told;
    std::unordered_map<std::string_view, asked_change*> by_reference;
    for (asked_change* one : asked) {
        // Of two with one reference the second is told what has become of the first.
        if (!by_reference.emplace(one->what.reference, one).second) continue;
        if (one->new_id == uuid{}) one->new_id = ids_.make(one->what.order_id.shard());
        told.push_back({one->what.order_id, one->new_id, one->what.reference, one->what.amount,
                        one->what.announced});
    }
    if (told.empty()) return {};
    const auto kept = uses_.money.receive(told, grace_);
    if (!kept) return text_of(kept.error());
    faults::pass(faults::place::payment_received);
    std::vector<payment> received;
    by_id<asked_change*> by_payment;
    by_id<payment_state> before;
    for (const payment& one : *kept) {
        asked_change& of = *by_reference.at(one.reference);
        if (one.replaces.value_or(one.order_id) != of.what.order_id ||
            one.amount != of.what.amount) {
            of.fail(failed::reference_taken);
            continue;
        }
        by_payment.emplace(one.id, &of);
        before.emplace(one.id, one.state);
        if (is_undecided(one)) received.push_back(one);
    }
    if (auto decided = decide(received); !decided) return decided;
    return answer(by_payment, before);
}

done money_work::decide(std::span<const payment> received) {
    if (received.empty()) return {};
    std::vector<uuid> payments, refunds;
    for (const payment& one : received) {
        payments.push_back(one.id);
        refunds.push_back(ids_.make(one.order_id.shard()));
    }
    if (const auto refused = uses_.money.refuse_received(payments, refunds); !refused)
        return text_of(refused.error());
    faults::pass(faults::place::payment_refused);
    if (const auto used = uses_.money.use_received(payments); !used) return text_of(used.error());
    return replacements_.place(payments);
}

done money_work::answer(const by_id<asked_change*>& by_payment,
                        const by_id<payment_state>& before) {
    if (by_payment.empty()) return {};
    std::vector<uuid> payments, orders;
    for (const auto& [id, one] : by_payment) {
        payments.push_back(id);
        orders.push_back(one->what.order_id);
    }
    const auto now = uses_.money.find(payments);
    if (!now) return text_of(now.error());
    const auto states = uses_.orders.find(orders);
    if (!states) return text_of(states.error());
    by_id<const order*> by_order;
    for (const order& one : *states)
        by_order.emplace(one.id, &one);
    for (const payment& one : *now) {
        asked_change& of = *by_payment.at(one.id);
        const auto state = by_order.find(of.what.order_id);
        if (state == by_order.end()) continue;
        const bool replayed = one.id != of.new_id && (before.at(one.id) == one.state);
        switch (one.state) {
            case payment_state::placing:
                break;
            case payment_state::started:
                // It is decided soon; or the order was recorded behind this money, and before an
                // announcement of it.
                if (one.received_at || !of.what.announced) break;
                [[fallthrough]];
            case payment_state::succeeded:
                of.answer = changed{.what = *state->second, .by = one, .replayed = replayed};
                break;
            case payment_state::failed:
            case payment_state::refund_due:
            case payment_state::refunded:
                // It had paid, and was answered so; the refund came after.
                if (has_paid(one)) {
                    of.answer = changed{.what = *state->second, .by = one, .replayed = true};
                    break;
                }
                of.fail({.why = why_owed(one),
                         .what = *state->second,
                         .by = one,
                         .replayed = replayed});
                break;
        }
    }
    return {};
}

done money_work::refund_orders(const batch& asked) {
    if (asked.empty()) return {};
    std::vector<refund_request> requests;
    by_id<asked_change*> by_order;
    for (asked_change* one : asked) {
        if (one->new_id == uuid{}) one->new_id = ids_.make(one->what.order_id.shard());
        requests.push_back({one->what.order_id, one->new_id, one->what.reason, one->what.restock});
        by_order.emplace(one->what.order_id, one);
    }
    const auto ended = uses_.money.refund_orders(requests);
    if (!ended) return text_of(ended.error());
    if (ended->empty()) return {};
    faults::pass(faults::place::order_refunded);
    std::vector<uuid> orders;
    for (const ended_order& one : *ended)
        orders.push_back(one.what.id);
    const auto pending = uses_.money.refunds_of(orders);
    if (!pending) return text_of(pending.error());
    // The answer does not wait for the user database: what is pending is given back later.
    const done money = give_back(*pending);
    auto refunds = uses_.money.refunds_of(orders);
    if (!refunds) return text_of(refunds.error());
    by_id<const order*> states;
    for (const ended_order& one : *ended)
        states.emplace(one.what.id, &one.what);
    for (refund& one : *refunds) {
        by_order.at(one.order_id)->answer =
            changed{.what = *states.at(one.order_id), .back = std::move(one)};
    }
    if (auto returned = units_.give_back(*ended); !returned) return returned;
    units_.remove_events(*ended);
    return money;
}

done money_work::give_back(std::span<const refund> pending) {
    std::vector<user::credit> credits;
    for (const refund& one : pending) {
        if (one.state == refund_state::pending && one.method == payment_method::balance)
            credits.push_back({one.id, one.payment_id, one.order_id, one.user_id, one.amount});
    }
    if (credits.empty()) return {};
    const auto given = uses_.credits.give_back(credits);
    if (!given) return std::unexpected("user database: " + given.error());
    faults::pass(faults::place::refund_given);
    if (const auto done = uses_.money.given_back(*given); !done) return text_of(done.error());
    if (given->size() == credits.size()) return {};
    const id_set known(given->begin(), given->end());
    std::vector<uuid> refused;
    for (const user::credit& one : credits) {
        if (known.contains(one.refund_id)) continue;
        spdlog::error(
            "refund {} of {} is not taken by the balance of user {}: it is full, or "
            "payment {} was not taken from it",
            one.refund_id.to_string(), one.amount, one.user_id, one.payment_id.to_string());
        refused.push_back(one.refund_id);
    }
    if (const auto done = uses_.money.put_off(refused); !done) return text_of(done.error());
    return {};
}

std::expected<bool, std::string> money_work::resume() {
    const auto received = uses_.money.received_undecided(payments_max_);
    if (!received) return text_of(received.error());
    const auto decided = decide(*received);
    const auto refunds = uses_.money.refunds_due(payments_max_);
    if (!refunds) return text_of(refunds.error());
    if (auto given = give_back(*refunds); !given) return std::unexpected(given.error());
    if (!decided) return std::unexpected(decided.error());
    return refunds->size() == payments_max_;
}

}  // namespace flashsale::order
