// Orders, units and money, added up over three databases and the gate when all is at rest.

#include <algorithm>

#include "balances.hpp"
#include "databases.hpp"
#include "life_promises.hpp"
#include "lives.hpp"
#include "promises.hpp"
#include "redis_server.hpp"

namespace flashsale::model {

using order::has_ended;
using order::order_status;
using order::payment;
using order::payment_method;
using order::payment_state;
using failed = order::change_failure::kind;
using asks = order::change_request::kind;

namespace {

/// It has paid its order, which may have been refunded later.
bool has_paid(const payment& one) {
    return one.state == payment_state::succeeded || one.reason == "order_refunded";
}

class final_sums {
public:
    explicit final_sums(world& in) : in_(in), life_(*in.orders->life) {}

    void orders();
    void units();
    void payments();
    void balances();
    void answer(const order::change_request& what, const order::order_changes::answer& how);
    void deposit(std::int64_t user, std::int64_t amount, const std::string& key);
    template <class... Args>
    void line(fmt::format_string<Args...> text, Args&&... args) {
        out_.append(fmt::format(text, std::forward<Args>(args)...)).append("\n");
    }
    std::string out() { return std::move(out_); }

private:
    void buyers_at_gate(const product_row& product, const std::string& epoch);
    const payment* by_reference(const std::string& reference) const {
        const auto found = std::ranges::find_if(
            life_.payments, [&](const auto& one) { return one.second.reference == reference; });
        return found == life_.payments.end() ? nullptr : &found->second;
    }

    world& in_;
    const life_tables& life_;
    std::string out_;
};

void final_sums::orders() {
    for (const auto& [id, one] : life_.heads) {
        const std::string name = short_id(id.to_string());
        const order_status state = one.what.status;
        if (state == order_status::pending || state == order_status::paying || one.due_at)
            line("P9: order {} is still {}", name, order::text_of(state));
        const auto back = in_.stock->returned.find({id});
        const bool came_back = back != in_.stock->returned.end();
        if (came_back != has_ended(state))
            line("P9: order {} is {}, and its units have {}returned", name, order::text_of(state),
                 came_back ? "" : "not ");
        if (came_back &&
            (back->second.quantity != one.what.quantity || back->second.restock != one.restock))
            line("P9: the units of order {} returned otherwise than it has ended", name);

        std::int64_t paid = 0;
        for (const auto& [payment_id, by] : life_.payments) {
            if (by.order_id != id || !has_paid(by)) continue;
            ++paid;
            if (one.payment_id != payment_id || by.amount != one.what.quantity * price)
                line("P10: order {} is not paid for by payment {}", name,
                     short_id(payment_id.to_string()));
            if ((state == order_status::paid) != (by.state == payment_state::succeeded))
                line("P10: order {} is {}, and its payment {}", name, order::text_of(state),
                     order::text_of(by.state));
        }
        const bool is_paid = state == order_status::paid || state == order_status::refunded;
        if (paid != (is_paid ? 1 : 0))
            line("P10: order {} is {}, and has {} payments", name, order::text_of(state), paid);
    }
}

void final_sums::units() {
    std::map<std::int64_t, std::int64_t> returned;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> by_buyer;
    for (const auto& [id, back] : in_.stock->returned) {
        const auto head = life_.heads.find(id.order_id);
        if (head == life_.heads.end()) {
            line("P9: units of {} have returned, and it is no order",
                 short_id(id.order_id.to_string()));
            continue;
        }
        const order::order& of = head->second.what;
        if (back.restock) returned[of.product_id] += back.quantity;
        by_buyer[{of.product_id, of.user_id}] += back.quantity;
    }
    const auto* header = in_.redis->find("{flashsale:0}:gate");
    const std::string epoch = header && header->contains("epoch") ? header->at("epoch") : "-";
    for (const auto& [id, product] : in_.stock->products) {
        if (product.returned != returned[id])
            line("P9: product {} has {} returned in the record, and {} by its orders", id,
                 product.returned, returned[id]);
        if (product.limit) buyers_at_gate(product, epoch);
    }
    for (const auto& [buyer, units] : in_.stock->buyer_returns) {
        if (units != by_buyer[buyer])
            line("P5: user {} has returned {} of product {} in the record, and {} by its orders",
                 buyer.second, units, buyer.first, by_buyer[buyer]);
    }
}

void final_sums::buyers_at_gate(const product_row& product, const std::string& epoch) {
    std::map<std::string, std::int64_t> live;
    for (const auto& [id, one] : life_.heads) {
        if (one.what.product_id == product.id && !has_ended(one.what.status))
            live[std::to_string(one.what.user_id)] += one.what.quantity;
    }
    const auto* counts =
        in_.redis->find("{flashsale:0}:" + epoch + ":b:" + std::to_string(product.id));
    if (counts) {
        for (const auto& [user, units] : *counts)
            live[user] -= std::stoll(units);
    }
    for (const auto& [user, differ] : live) {
        if (differ != 0)
            line("P5: the gate counts {} too many of product {} for user {}", -differ, product.id,
                 user);
    }
}

void final_sums::payments() {
    std::map<uuid, int> refunds_of;
    for (const auto& [id, one] : life_.refunds) {
        ++refunds_of[one.what.payment_id];
        const payment& of = life_.payments.at(one.what.payment_id);
        const bool is_back = one.what.state == order::refund_state::succeeded;
        if (one.what.amount != of.amount || is_back != (of.state == payment_state::refunded))
            line("P10: refund {} is not of its payment", short_id(id.to_string()));
        const auto entries =
            std::ranges::count_if(in_.users->entries, [&](const user_database::entry& entry) {
                return entry.kind == "refund" && entry.payment == one.what.payment_id &&
                       entry.amount == one.what.amount;
            });
        const bool to_balance = of.method == payment_method::balance && of.amount > 0;
        if (entries != (to_balance ? 1 : 0))
            line("P10: refund {} is {} times in the balance", short_id(id.to_string()), entries);
    }
    for (const auto& [id, one] : life_.payments) {
        const std::string name = short_id(id.to_string());
        const bool owed =
            one.state == payment_state::refund_due || one.state == payment_state::refunded;
        if (refunds_of[id] != (owed ? 1 : 0))
            line("P10: payment {} is {}, and has {} refunds", name, order::text_of(one.state),
                 refunds_of[id]);
        if (one.method == payment_method::external) {
            if (one.received_at &&
                (one.state == payment_state::started || one.state == payment_state::placing))
                line("P10: money from outside is undecided: payment {}", name);
            continue;
        }
        const auto decision = in_.users->decisions.find(id);
        const bool taken = decision != in_.users->decisions.end() &&
                           decision->second.what == user::charge_decision::taken;
        const auto entries =
            std::ranges::count_if(in_.users->entries, [&](const user_database::entry& entry) {
                return entry.kind == "payment" && entry.payment == id;
            });
        if (one.state == payment_state::started || taken != has_paid(one) ||
            entries != (has_paid(one) && one.amount > 0 ? 1 : 0))
            line("P10: payment {} is {}, was {}, and is {} times in the balance", name,
                 order::text_of(one.state), taken ? "taken" : "declined", entries);
    }
    for (const auto& [id, one] : in_.users->decisions) {
        if (!life_.payments.contains(id))
            line("P10: a payment was decided that is none: {}", short_id(id.to_string()));
    }
}

void final_sums::balances() {
    std::map<std::int64_t, std::int64_t> sums;
    for (const user_database::entry& one : in_.users->entries) {
        sums[one.user] += one.amount;
        if (sums[one.user] < 0) line("P10: the balance of user {} was below zero", one.user);
    }
    for (const auto& [user, balance] : in_.users->balances) {
        if (sums[user] != balance)
            line("P10: user {} has {}, and entries of {}", user, balance, sums[user]);
    }
    std::int64_t spent = 0;
    for (const auto& [id, one] : life_.payments) {
        if (one.method == payment_method::balance && one.state == payment_state::succeeded)
            spent += one.amount;
    }
    for (const user_database::entry& one : in_.users->entries) {
        if (one.kind == "payment" || one.kind == "refund") spent += one.amount;
    }
    if (spent != 0) line("P10: {} was spent and bought nothing", -spent);
}

void final_sums::answer(const order::change_request& what,
                        const order::order_changes::answer& how) {
    const std::string name = short_id(what.order_id.to_string());
    const auto head = life_.heads.find(what.order_id);
    const order_status state =
        head == life_.heads.end() ? order_status::success : head->second.what.status;
    const bool is_paid = state == order_status::paid || state == order_status::refunded;
    switch (what.what) {
        case asks::cancel:
            if (how && state != order_status::cancelled)
                line("P9: order {} was cancelled, and is {}", name, order::text_of(state));
            return;
        case asks::refund:
            if (how && state != order_status::refunded)
                line("P10: order {} was refunded, and is {}", name, order::text_of(state));
            return;
        case asks::pay_from_balance:
            if (how && !is_paid)
                line("P10: order {} was paid for from a balance, and is {}", name,
                     order::text_of(state));
            return;
        case asks::pay_from_outside:
            break;
    }
    if (what.announced) return;
    const payment* const by = by_reference(what.reference);
    if (!by || !by->received_at || by->amount != what.amount) {
        line("P10: money for order {} was told of and is not kept: {}", name, what.reference);
    } else if (how && !has_paid(*by)) {
        line("P10: order {} was paid for from outside, and {} is {}", name, what.reference,
             order::text_of(by->state));
    } else if (!how && has_paid(*by) && how.error().why != failed::reference_taken) {
        line("P10: money for order {} was said to be owed, and has paid: {}", name, what.reference);
    }
}

void final_sums::deposit(std::int64_t user, std::int64_t amount, const std::string& key) {
    const auto entries =
        std::ranges::count_if(in_.users->entries, [&](const user_database::entry& one) {
            return one.kind == "deposit" && one.user == user && one.key == key &&
                   one.amount == amount;
        });
    if (entries != 1) line("P10: {} of user {} is {} times in the balance", key, user, entries);
}

}  // namespace

std::string life_promises::broken() const {
    if (!in_.with_life) return {};
    final_sums sums(in_);
    sums.orders();
    sums.units();
    sums.payments();
    sums.balances();
    for (const said& one : answers_)
        sums.answer(one.what, one.how);
    for (const in_balance& one : deposits_)
        sums.deposit(one.user, one.amount, one.key);
    for (const auto& [id, one] : in_.orders->life->payments) {
        if (one.received_at && !told_.contains(one.reference))
            sums.line("P10: nothing was told of {}", one.reference);
    }
    return sums.out();
}

}  // namespace flashsale::model
