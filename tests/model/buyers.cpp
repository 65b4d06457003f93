#include "buyers.hpp"

#include "balances.hpp"
#include "life_promises.hpp"
#include "process.hpp"
#include "service.hpp"

namespace flashsale::model {

using order::change_failure;
using order::change_request;
using kind = order::change_request::kind;

namespace {

constexpr micros patience = 1'500 * ms;

/// Nothing else will ever be answered to it.
bool is_final(change_failure::kind why) {
    using enum change_failure::kind;
    return why != not_recorded && why != late && why != overloaded && why != outcome_unknown;
}

std::string_view name_of(kind what) {
    switch (what) {
        case kind::pay_from_balance:
            return "pay from the balance";
        case kind::pay_from_outside:
            return "money from outside";
        case kind::cancel:
            return "cancel";
        case kind::refund:
            return "refund";
    }
    return "";
}

}  // namespace

process& buyers::some_process() {
    return *in_.processes[in_.random.below(in_.processes.size())];
}

void buyers::open(std::int64_t users) {
    if (!in_.with_life) return;
    for (std::int64_t user = 1; user <= users; ++user) {
        in_.users->open(user, price * in_.random.between(0, 3));
        if (in_.random.chance(40))
            pay_in(in_.random.between(0, 5 * second), user, price * in_.random.between(1, 2));
    }
}

// ---- what is wanted

void buyers::got_order(const intent& by, const uuid& id, std::uint32_t window_s) {
    if (!in_.with_life || !known_.insert(id).second) return;
    const held_order of{id, by.user, by.quantity * price, window_s * second};
    prng& random = in_.random;
    if (of.window == 0) {
        if (random.chance(30)) cancel(random.between(0, 4 * second), of);
        return;
    }
    // Near its end, as often as not.
    const auto some_time = [&] {
        return random.chance(50) ? random.between(0, of.window)
                                 : of.window - random.between(-200 * ms, 300 * ms);
    };
    const auto what = random.below(100);
    if (what < 30) {
        const micros when = some_time();
        pay_from_balance(when, of);
        if (random.chance(25)) pay_from_balance(when + random.between(0, 20 * ms), of);
    } else if (what < 40) {
        cancel(some_time(), of);
    } else if (what < 55) {
        const micros when = some_time();
        pay_from_balance(when, of);
        cancel(when + random.between(-5 * ms, 30 * ms), of);
    } else if (what < 75) {
        pay_from_outside(of);
    } else if (what < 85) {
        pay_from_outside(of);
        random.chance(50) ? pay_from_balance(some_time(), of) : cancel(some_time(), of);
    }
}

void buyers::want(micros when, change_request what, const held_order& of) {
    what.order_id = of.id;
    wishes_.push_back({std::move(what), of.user, of.total});
    ++unanswered_;
    in_.after(when, [this, &who = wishes_.back()] { ask(who); });
}

void buyers::pay_from_balance(micros when, const held_order& of) {
    change_request what;
    what.what = kind::pay_from_balance;
    what.idempotency_key = "pay " + std::to_string(++keys_);
    want(when, what, of);
    if (in_.random.chance(25)) want(when + in_.random.between(0, 3 * ms), what, of);  // a twin
}

void buyers::pay_from_outside(const held_order& of) {
    prng& random = in_.random;
    change_request what;
    what.what = kind::pay_from_outside;
    what.reference = "reference " + std::to_string(++keys_);
    what.amount = random.chance(90) ? of.total : of.total + 1;
    const micros when = random.between(0, 2 * of.window + second);
    if (random.chance(25)) {
        what.announced = true;
        want(random.between(0, when), what, of);
        what.announced = false;
        if (random.chance(30)) return;  // and it never comes
    }
    want(when, what, of);
    if (random.chance(20)) want(when + random.between(0, 5 * ms), what, of);
    if (random.chance(20)) {
        what.reference = "reference " + std::to_string(++keys_);
        want(when + random.between(0, 50 * ms), what, of);
    }
}

void buyers::cancel(micros when, const held_order& of) {
    change_request what;
    what.restock = in_.random.chance(80);
    want(when, what, of);
}

// ---- asking

void buyers::ask(wish& who) {
    if (who.answered) return;
    const int attempt = ++who.asking;
    process& of = some_process();
    in_.tell("buyer", "asks {}: {} {}{}", of.name, name_of(who.what.what),
             short_id(who.what.order_id.to_string()), who.what.announced ? ", announced" : "");
    in_.after(patience, [this, &who, attempt] {
        if (!who.answered && who.asking == attempt) ask(who);
    });
    in_.after(in_.transit(), [this, &who, &of] {
        if (!of.alive()) return;
        if (who.what.what == kind::pay_from_outside && !who.what.announced)
            in_.lived->told(who.what.reference);
        of.after(0, [this, &who, &of] {
            of.spawn([](buyers& all, process& at, wish& by) -> awaitable<void> {
                const auto got = co_await at.service().change(by.what, "of the run");
                world& in = all.in_;
                if (got) {
                    in.after(in.transit(), [&all, &by, answer = *got] { all.answer(by, answer); });
                } else if (const auto* why = std::get_if<change_failure>(&got.error())) {
                    in.after(in.transit(), [&all, &by, failure = *why] {
                        all.answer(by, std::unexpected(failure));
                    });
                } else {
                    const auto& failure = std::get<order::failure>(got.error());
                    const auto* code = std::get_if<order::errc>(&failure);
                    if (!code || *code != order::errc::order_not_found) co_return;
                    in.tell(at.name, "{}: 404", short_id(by.what.order_id.to_string()));
                    in.promised->not_found(by.what.order_id);
                    all.give_up(by);
                }
            }(*this, of, who));
        });
    });
}

void buyers::give_up(wish& who) {
    if (!std::exchange(who.answered, true)) --unanswered_;
}

void buyers::answer(wish& who, const order::order_changes::answer& what) {
    in_.tell("buyer", "is answered: {} {}: {}{}", name_of(who.what.what),
             short_id(who.what.order_id.to_string()),
             what ? std::string(order::text_of(what->what.status))
                  : "failure " + std::to_string(static_cast<int>(what.error().why)),
             (what ? what->replayed : what.error().replayed) ? " again" : "");
    if (what || is_final(what.error().why)) {
        in_.lived->answered(who.what, what);
        if (who.answered) return;
        give_up(who);
        return go_on(who, what);
    }
    in_.after(in_.random.between(30 * ms, 300 * ms), [this, &who, attempt = who.asking] {
        if (!who.answered && who.asking == attempt) ask(who);
    });
}

void buyers::go_on(const wish& who, const order::order_changes::answer& what) {
    prng& random = in_.random;
    const held_order of{who.what.order_id, who.user, who.total, second};
    const bool pays = who.what.what == kind::pay_from_balance ||
                      (who.what.what == kind::pay_from_outside && !who.what.announced);
    if (what && pays && random.chance(35)) {
        change_request refund;
        refund.what = kind::refund;
        refund.restock = random.chance(80);
        want(random.between(0, 2 * second), refund, {what->what.id, of.user, of.total, second});
        // The order that was paid for may be another, which late money has bought.
        if (what->by) wishes_.back().what.order_id = what->by->order_id;
    }
    if (!what && what.error().why == change_failure::kind::insufficient_balance) {
        if (random.chance(50)) pay_in(random.between(0, 300 * ms), of.user, of.total);
        if (random.chance(60)) pay_from_balance(random.between(0, second), of);
    }
}

// ---- deposits

void buyers::pay_in(micros when, std::int64_t user, std::int64_t amount) {
    deposits_.push_back({user, amount, "deposit " + std::to_string(++keys_)});
    ++unanswered_;
    in_.after(when, [this, &one = deposits_.back()] { ask(one); });
}

void buyers::ask(deposit& one) {
    if (one.answered) return;
    in_.after(patience, [this, &one] { ask(one); });
    process& of = some_process();
    if (!of.alive()) return;
    of.after(0, [this, &one, &of] {
        of.spawn([](buyers& all, process& at, deposit& by) -> awaitable<void> {
            const auto done = co_await at.ask<bool>(*all.in_.users, [&users = *all.in_.users, &by] {
                users.deposit(by.user, by.amount, by.key);
                return true;
            });
            if (!done || std::exchange(by.answered, true)) co_return;
            --all.unanswered_;
            all.in_.lived->deposited(by.user, by.key, by.amount);
        }(*this, of, one));
    });
}

}  // namespace flashsale::model
