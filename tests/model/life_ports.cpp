#include "life_ports.hpp"

#include "balances.hpp"
#include "lives.hpp"
#include "process.hpp"

namespace flashsale::model {

namespace {

using order::payment;

template <class T>
std::vector<T> copied(std::span<const T> all) {
    return {all.begin(), all.end()};
}

template <class T>
using result = std::expected<T, order::life_fault>;

/// A statement of the order database. Without the guard it goes by what there was as it was sent,
/// as one would that reads first and writes then.
template <class What>
auto ask(process& of, What what) -> result<decltype(what(std::declval<life_tables&>()))> {
    using value = decltype(what(std::declval<life_tables&>()));
    world& in = of.in;
    auto seen = in.is_without(guard::compare_and_set) ? std::optional(in.orders->life->seen())
                                                      : std::nullopt;
    auto got = of.ask_now<value>(
        *in.orders, [&life = *in.orders->life, what = std::move(what), seen = std::move(seen)] {
            life.go_by(seen);
            auto out = what(life);
            life.go_by(std::nullopt);
            return out;
        });
    if (!got) return std::unexpected(order::life_fault{false, std::move(got.error())});
    return std::move(*got);
}

template <class What>
result<void> tell(process& of, What what) {
    auto told = ask(of, [what = std::move(what)](life_tables& in) {
        what(in);
        return true;
    });
    if (!told) return std::unexpected(std::move(told.error()));
    return {};
}

class life_port final : public order::life_store {
public:
    explicit life_port(process& of) : of_(of) {}

    result<std::vector<order::order>> find(std::span<const uuid> ids) override {
        if (ids.empty()) return std::vector<order::order>{};
        return ask(of_, [all = copied(ids)](life_tables& in) { return in.find(all); });
    }
    result<std::vector<payment>> find_payments(
        std::span<const order::payment_request> asked) override {
        return ask(of_, [all = copied(asked)](life_tables& in) { return in.find_payments(all); });
    }
    result<std::vector<payment>> find_succeeded(std::span<const uuid> orders) override {
        return ask(of_, [all = copied(orders)](life_tables& in) { return in.find_succeeded(all); });
    }
    result<std::vector<order::ended_order>> cancel(
        std::span<const order::cancel_request> asked) override {
        return ask(of_, [all = copied(asked)](life_tables& in) { return in.cancel(all); });
    }
    result<std::vector<order::ended_order>> expire(std::size_t orders_max,
                                                   timestamp from) override {
        return ask(of_,
                   [orders_max, from](life_tables& in) { return in.expire(orders_max, from); });
    }
    result<std::vector<payment>> start_payments(std::span<const order::payment_request> asked,
                                                currency_code) override {
        if (asked.empty()) return std::vector<payment>{};
        auto started =
            ask(of_, [all = copied(asked)](life_tables& in) { return in.start_payments(all); });
        if (!started) return std::unexpected(std::move(started.error()));
        if (!*started) return std::unexpected(order::life_fault{true, "a key is taken"});
        return std::move(**started);
    }
    result<void> finish_taken(std::span<const payment> taken) override {
        return finish(taken, true);
    }
    result<void> finish_declined(std::span<const payment> declined) override {
        return finish(declined, false);
    }
    result<std::vector<payment>> unfinished_payments(std::size_t most) override {
        return ask(of_, [most](life_tables& in) { return in.unfinished_payments(most); });
    }
    result<std::vector<order::ended_order>> returns_due(std::size_t most) override {
        return ask(of_, [most](life_tables& in) { return in.returns_due(most); });
    }
    result<bool> returned(std::span<const order::returned_order> orders) override {
        if (orders.empty()) return true;
        return ask(of_, [all = copied(orders), &record = *of_.in.orders,
                         without = of_.in.is_without(guard::newest_told)](life_tables& in) {
            return in.returned(all, without ? 0 : record.fence);
        });
    }
    result<void> put_off(std::span<const uuid> orders) override {
        if (orders.empty()) return {};
        return tell(of_, [all = copied(orders)](life_tables& in) { in.put_off(all); });
    }

private:
    result<void> finish(std::span<const payment> decided, bool taken) {
        if (decided.empty()) return {};
        return tell(of_,
                    [all = copied(decided), taken](life_tables& in) { in.finish(all, taken); });
    }

    process& of_;
};

class money_port final : public order::money_store {
public:
    explicit money_port(process& of) : of_(of) {}

    result<std::vector<payment>> receive(std::span<const order::told_payment> told,
                                         std::chrono::seconds grace) override {
        if (told.empty()) return std::vector<payment>{};
        if (auto kept = tell(of_, [all = copied(told)](life_tables& in) { in.receive(all); });
            !kept)
            return std::unexpected(std::move(kept.error()));
        std::vector<std::string> references;
        for (const order::told_payment& one : told)
            references.push_back(one.reference);
        auto known = ask(of_, [references = std::move(references)](life_tables& in) {
            return in.find_by_reference(references);
        });
        if (!known) return known;
        std::vector<uuid> announced;
        for (const payment& one : *known) {
            if (!one.received_at && one.state == order::payment_state::started)
                announced.push_back(one.order_id);
        }
        if (announced.empty()) return known;
        const auto put_off =
            tell(of_, [announced, grace](life_tables& in) { in.put_off_end(announced, grace); });
        if (!put_off) return std::unexpected(put_off.error());
        return known;
    }
    result<void> refuse_received(std::span<const uuid> payments,
                                 std::span<const uuid> refunds) override {
        if (payments.empty()) return {};
        auto refused = tell(of_, [all = copied(payments), ids = copied(refunds)](life_tables& in) {
            in.refuse_received(all, ids);
        });
        if (!refused) return refused;
        return tell(of_, [all = copied(payments)](life_tables& in) { in.begin_placing(all); });
    }
    result<void> use_received(std::span<const uuid> payments) override {
        if (payments.empty()) return {};
        return tell(of_, [all = copied(payments)](life_tables& in) { in.use_received(all); });
    }
    result<std::vector<payment>> find(std::span<const uuid> payments) override {
        return ask(of_, [all = copied(payments)](life_tables& in) { return in.find_money(all); });
    }
    result<std::vector<payment>> received_undecided(std::size_t most) override {
        return ask(of_, [most](life_tables& in) { return in.received_undecided(most); });
    }
    result<std::vector<order::ended_order>> refund_orders(
        std::span<const order::refund_request> asked) override {
        return ask(of_, [all = copied(asked)](life_tables& in) { return in.refund_orders(all); });
    }
    result<std::vector<order::refund>> refunds_of(std::span<const uuid> orders) override {
        return ask(of_, [all = copied(orders)](life_tables& in) { return in.refunds_of(all); });
    }
    result<std::vector<order::refund>> refunds_due(std::size_t most) override {
        return ask(of_, [most](life_tables& in) { return in.refunds_due(most); });
    }
    result<void> given_back(std::span<const uuid> refunds) override {
        if (refunds.empty()) return {};
        return tell(of_, [all = copied(refunds)](life_tables& in) { in.given_back(all); });
    }
    result<void> put_off(std::span<const uuid> refunds) override {
        if (refunds.empty()) return {};
        return tell(of_, [all = copied(refunds)](life_tables& in) { in.put_off_refunds(all); });
    }

private:
    process& of_;
};

class replacement_port final : public order::replacement_store {
public:
    explicit replacement_port(process& of) : of_(of) {}

    result<std::vector<order::late_payment>> late(std::span<const uuid> payments) override {
        if (payments.empty()) return std::vector<order::late_payment>{};
        return ask(of_, [all = copied(payments)](life_tables& in) { return in.late(all); });
    }
    result<void> pay(std::span<const order::replacement> by) override {
        if (by.empty()) return {};
        return tell(of_, [all = copied(by)](life_tables& in) { in.pay(all); });
    }
    result<void> give_up(std::span<const uuid> payments, std::span<const uuid> refunds) override {
        if (payments.empty()) return {};
        return tell(of_, [all = copied(payments), ids = copied(refunds)](life_tables& in) {
            in.give_up(all, ids);
        });
    }

private:
    process& of_;
};

class returns_port final : public stock::returns {
public:
    explicit returns_port(process& of) : of_(of) {}

    std::expected<stock::recorded_returns, std::string> record(
        std::span<const stock::ended_line> lines) override {
        if (lines.empty()) return stock::recorded_returns{};
        return of_.ask_now<stock::recorded_returns>(
            *of_.in.stock,
            [&in = *of_.in.stock, all = copied(lines)] { return in.record_returns(all); });
    }

private:
    process& of_;
};

class charges_port final : public user::charges {
public:
    explicit charges_port(process& of) : of_(of) {}

    std::expected<std::vector<user::charge_decision>, std::string> decide(
        std::span<const user::charge> all) override {
        return of_.ask_now<std::vector<user::charge_decision>>(
            *of_.in.users, [&in = *of_.in.users, all = copied(all)] { return in.decide(all); });
    }

private:
    process& of_;
};

class credits_port final : public user::credits {
public:
    explicit credits_port(process& of) : of_(of) {}

    std::expected<std::vector<uuid>, std::string> give_back(
        std::span<const user::credit> all) override {
        return of_.ask_now<std::vector<uuid>>(
            *of_.in.users, [&in = *of_.in.users, all = copied(all)] { return in.give_back(all); });
    }

private:
    process& of_;
};

}  // namespace

std::unique_ptr<order::life_store> make_life_store(process& of) {
    return std::make_unique<life_port>(of);
}
std::unique_ptr<order::money_store> make_money_store(process& of) {
    return std::make_unique<money_port>(of);
}
std::unique_ptr<order::replacement_store> make_replacement_store(process& of) {
    return std::make_unique<replacement_port>(of);
}
std::unique_ptr<stock::returns> make_returns_port(process& of) {
    return std::make_unique<returns_port>(of);
}
std::unique_ptr<user::charges> make_charges_port(process& of) {
    return std::make_unique<charges_port>(of);
}
std::unique_ptr<user::credits> make_credits_port(process& of) {
    return std::make_unique<credits_port>(of);
}

}  // namespace flashsale::model
