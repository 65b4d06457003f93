// Money from outside, and money that goes back, on each database: kept first, used once, and what
// is of no use is owed.

#include <catch2/catch.hpp>

#include "life_record.hpp"

using namespace flashsale;
using namespace flashsale::test;
using order::order_status;
using order::payment_state;

namespace {

using ids = std::vector<uuid>;
using returned = std::vector<order::returned_order>;

struct money_record : life_record {
    using life_record::life_record;

    static constexpr std::int64_t total = 3 * 999;

    order::payment tell(const uuid& id, const std::string& reference, std::int64_t amount = total,
                        bool announced = false, std::int64_t grace_s = 60) {
        const auto kept = receive(id, reference, amount, announced, grace_s);
        REQUIRE(kept.size() == 1);
        return kept.front();
    }
    std::vector<order::payment> receive(const uuid& id, const std::string& reference,
                                        std::int64_t amount, bool announced = false,
                                        std::int64_t grace_s = 60) {
        const auto kept = money->receive(
            std::vector<order::told_payment>{{id, make.make(), reference, amount, announced}},
            std::chrono::seconds(grace_s));
        REQUIRE(kept.has_value());
        return *kept;
    }
    /// What the clerk does with what is received.
    void decide(const ids& payments) {
        ids refunds;
        for (std::size_t i = 0; i < payments.size(); ++i)
            refunds.push_back(make.make());
        REQUIRE(money->refuse_received(payments, refunds).has_value());
        REQUIRE(money->use_received(payments).has_value());
    }
    order::payment now(const uuid& payment) {
        const auto found = money->find(ids{payment});
        REQUIRE(found.has_value());
        REQUIRE(found->size() == 1);
        return found->front();
    }
    order::payment pay(const uuid& id, const std::string& reference, std::int64_t amount = total) {
        const uuid payment = tell(id, reference, amount).id;
        decide({payment});
        return now(payment);
    }
    std::vector<order::owed_payment> all_owed() {
        return database.wait(owed->list({}, 100)).value();
    }
    order::confirmation confirm(const uuid& refund, const std::string& reference) {
        return database.wait(owed->confirm(refund, reference)).value();
    }
    std::vector<order::ended_order> refund(const uuid& id, const std::string& reason = {}) {
        const auto done =
            money->refund_orders(std::vector<order::refund_request>{{id, make.make(), reason}});
        REQUIRE(done.has_value());
        return *done;
    }
    /// The audit finds nothing.
    void adds_up() {
        CHECK(reader->paid_otherwise().value().empty());
        CHECK(reader->refunded_otherwise().value().empty());
    }
};

}  // namespace

TEST_CASE("money: what is told of is kept once, whatever it is told again") {
    money_record record(each_database());
    const uuid id = record.held(), other = record.held();
    const order::payment first = record.tell(id, "r1");
    CHECK(first.method == order::payment_method::external);
    CHECK(first.state == payment_state::started);
    CHECK(first.received_at.has_value());
    CHECK(first.user_id == record.state(id).user_id);
    CHECK(record.tell(id, "r1").id == first.id);
    // Its reference is taken: the answer is the payment that has it.
    CHECK(record.tell(other, "r1").order_id == id);
    CHECK(record.tell(id, "r1", 1).amount == record.total);
    CHECK(record.receive(record.make.make(), "r2", 5).empty());  // is no order
    record.decide({first.id});
    CHECK(record.now(first.id).state == payment_state::succeeded);
    CHECK(record.status(id) == order_status::paid);
    CHECK(record.status(other) == order_status::pending);
    CHECK(record.history(id) == std::vector<std::string>{"PENDING PAID"});
    record.decide({first.id});
    CHECK(record.history(id).size() == 1);
    CHECK(record.life->find_succeeded(ids{id})->front().id == first.id);
    CHECK(record.all_owed().empty());
    record.adds_up();
}

TEST_CASE("money: what is of no use is owed, with the reason, and goes back once") {
    money_record record(each_database());
    const uuid paid = record.held(), outright = record.outright(), late = record.overdue();
    const uuid cancelled = record.held(), broken = record.held(), open = record.held();
    REQUIRE(record.pay(paid, "paid").state == payment_state::succeeded);
    REQUIRE(record.life->expire(10)->size() == 1);
    REQUIRE(record.cancel(cancelled).size() == 1);
    REQUIRE(record.life->cancel(std::vector<order::cancel_request>{{broken, "by the shop", false}})
                ->size() == 1);
    const auto reason = [&](const uuid& id, const char* reference, std::int64_t amount) {
        const order::payment one = record.pay(id, reference, amount);
        CHECK(one.state == payment_state::refund_due);
        CHECK(one.decided_at.has_value());
        return one.reason;
    };
    const std::int64_t total = record.total;
    CHECK(reason(paid, "a", total) == "order_not_payable");
    CHECK(reason(outright, "b", 999) == "order_not_payable");
    CHECK(reason(late, "c", total + 1) == "amount_mismatch");
    CHECK(reason(cancelled, "d", total - 1) == "amount_mismatch");
    CHECK(reason(broken, "e", total) == "order_not_payable");
    CHECK(reason(open, "f", total - 1) == "amount_mismatch");
    CHECK(record.status(open) == order_status::pending);
    CHECK(record.pay(open, "g").state == payment_state::succeeded);

    const auto all = record.all_owed();
    REQUIRE(all.size() == 6);
    record.adds_up();
    const order::owed_payment& one = all.front();
    CHECK(one.back.payment_id == one.what.id);
    CHECK(one.back.amount == one.what.amount);
    CHECK(one.back.reason == one.what.reason);
    CHECK(one.back.state == order::refund_state::pending);
    const auto done = record.confirm(one.back.id, "back");
    CHECK(done.confirmed_now);
    CHECK(done.what->state == order::refund_state::succeeded);
    CHECK(done.what->reference == "back");
    CHECK(record.now(one.what.id).state == payment_state::refunded);
    const auto again = record.confirm(one.back.id, "other");
    CHECK_FALSE(again.confirmed_now);
    CHECK(again.what->reference == "back");
    CHECK_FALSE(record.confirm(record.make.make(), "none").what.has_value());
    CHECK(record.all_owed().size() == 5);
    CHECK(record.database.wait(record.owed->list(all[3].what.id, 100))->size() == 2);
    CHECK(record.database.wait(record.owed->list({}, 2))->size() == 2);
    record.adds_up();
}

TEST_CASE("money: of two payments for one order one is used, the other one is owed") {
    money_record record(each_database());
    const uuid id = record.held();
    const order::payment first = record.tell(id, "r1"), second = record.tell(id, "r2");
    REQUIRE(record.money->use_received(ids{first.id, second.id}).has_value());
    CHECK(record.status(id) == order_status::paid);
    record.decide({first.id, second.id});
    const auto states = std::pair(record.now(first.id).state, record.now(second.id).state);
    const bool one_of_them =
        states == std::pair(payment_state::succeeded, payment_state::refund_due) ||
        states == std::pair(payment_state::refund_due, payment_state::succeeded);
    CHECK(one_of_them);
    CHECK(record.history(id).size() == 1);
    record.adds_up();
}

TEST_CASE("money: it waits while a balance is asked, and while a hold is about to end") {
    money_record record(each_database());
    const uuid paying = record.held(), ending = record.overdue();
    const auto started = record.start(paying);
    const uuid first = record.tell(paying, "r1").id, second = record.tell(ending, "r2").id;
    record.decide({first, second});
    CHECK(record.now(first).state == payment_state::started);
    CHECK(record.now(second).state == payment_state::started);
    CHECK(record.money->received_undecided(10)->empty());  // a moment ago
    record.database.sql(record.kind == database_kind::postgres
                            ? "UPDATE payments SET received_at = received_at - interval '9 s'"
                              " WHERE received_at IS NOT NULL"
                            : "UPDATE payments SET received_at = received_at - 9000000");
    CHECK(record.money->received_undecided(10)->size() == 2);
    CHECK(record.reader->money_unfinished()->size() == 2);
    REQUIRE(record.life->finish_taken(started).has_value());
    REQUIRE(record.life->expire(10)->size() == 1);
    record.decide({first, second});
    CHECK(record.now(first).reason == "order_not_payable");
    CHECK(record.now(second).state == payment_state::placing);
    CHECK(record.reader->money_unfinished()->empty());  // it may wait for the gate
    record.adds_up();
}

TEST_CASE("money: an announced payment puts off the end of its hold, once") {
    money_record record(each_database());
    const uuid id = record.held(100), late = record.overdue(), outright = record.outright();
    const auto before = *record.state(id).expires_at;
    const order::payment first = record.tell(id, "r1", record.total, true);
    CHECK_FALSE(first.received_at.has_value());
    CHECK(*record.state(id).expires_at == before + std::chrono::seconds(60));
    record.tell(id, "r1", record.total, true);
    record.tell(id, "r2", record.total, true);
    CHECK(*record.state(id).expires_at == before + std::chrono::seconds(60));
    // Nothing is decided about what is not here.
    record.decide({first.id});
    CHECK(record.now(first.id).state == payment_state::started);
    CHECK(record.receive(late, "r3", record.total, true).empty());
    CHECK(record.receive(outright, "r4", 999, true).empty());
    CHECK(record.tell(id, "r1", 5, true).amount == record.total);  // another announcement
    const order::payment other = record.tell(id, "r2", 5);         // other money than was announced
    CHECK(other.amount == 5);
    record.decide({other.id});
    CHECK(record.now(other.id).reason == "amount_mismatch");
    // It comes; that it was announced a second time changes nothing.
    CHECK(record.tell(id, "r1").received_at.has_value());
    CHECK(record.tell(id, "r1", record.total, true).received_at.has_value());
    record.decide({first.id});
    CHECK(record.now(first.id).state == payment_state::succeeded);
    CHECK(record.status(id) == order_status::paid);
    record.adds_up();
}

TEST_CASE("money: a paid order is refunded once, its money with it") {
    money_record record(each_database());
    const uuid outside = record.held(), balance = record.held(), open = record.held();
    const order::payment told = record.pay(outside, "r1");
    const auto taken = record.start(balance);
    REQUIRE(record.life->finish_taken(taken).has_value());
    CHECK(record.refund(open).empty());
    CHECK(record.refund(record.outright()).empty());

    const auto ended = record.refund(outside, "defect");
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].what.status == order_status::refunded);
    CHECK(ended[0].units.taken.delta == -3);
    CHECK(record.refund(outside).empty());
    CHECK(record.refund(balance).size() == 1);
    CHECK(record.history(outside).back() == "PAID REFUNDED defect");
    CHECK(record.now(told.id).state == payment_state::refund_due);
    CHECK(record.orders().at(outside).ended);
    record.age(outside);
    CHECK(record.due() == ids{outside});
    REQUIRE(record.life->returned(returned{{outside}}).has_value());
    CHECK(record.due().empty());

    const auto refunds = record.money->refunds_of(ids{outside, balance, open});
    REQUIRE(refunds->size() == 2);
    CHECK(record.all_owed().size() == 2);
    record.adds_up();
    // The clerk gives back what came from a balance, and none else does.
    CHECK(record.money->refunds_due(10)->empty());
    record.database.sql("UPDATE refunds SET due_at = created_at WHERE due_at IS NOT NULL");
    const auto due = record.money->refunds_due(10);
    REQUIRE(due->size() == 1);
    CHECK(due->front().order_id == balance);
    REQUIRE(record.money->put_off(ids{due->front().id}).has_value());
    CHECK(record.money->refunds_due(10)->empty());
    CHECK_FALSE(record.confirm(due->front().id, "no").confirmed_now);
    for (int twice = 0; twice < 2; ++twice) {
        REQUIRE(record.money->given_back(ids{refunds->at(0).id, refunds->at(1).id}).has_value());
        CHECK(record.all_owed().size() == 1);
    }
    CHECK(record.now(taken[0].id).state == payment_state::refunded);
    CHECK(record.all_owed().front().what.id == told.id);
    CHECK(record.confirm(record.all_owed().front().back.id, "back").confirmed_now);
    CHECK(record.all_owed().empty());
    CHECK(record.life->find_succeeded(ids{outside, balance})->size() == 2);
    record.adds_up();
}

TEST_CASE("money: the audit sees a row that was falsified") {
    money_record record(each_database());
    const uuid id = record.held(), refunded = record.held();
    record.pay(id, "r1");
    record.pay(refunded, "r2");
    REQUIRE(record.refund(refunded).size() == 1);
    record.adds_up();
    const auto falsified = [&](const char* what, const char* back) {
        INFO(what);
        record.database.sql(what);
        const bool seen = !record.reader->paid_otherwise()->empty() ||
                          !record.reader->refunded_otherwise()->empty();
        CHECK(seen);
        record.database.sql(back);
        record.adds_up();
    };
    falsified("UPDATE payments SET amount = amount - 1 WHERE state = 'succeeded'",
              "UPDATE payments SET amount = amount + 1 WHERE state = 'succeeded'");
    falsified("UPDATE refunds SET amount = amount - 1", "UPDATE refunds SET amount = amount + 1");
    falsified("UPDATE refunds SET user_id = user_id + 9",
              "UPDATE refunds SET user_id = user_id - 9");
    falsified("UPDATE payments SET state = 'succeeded' WHERE state = 'refund_due'",
              "UPDATE payments SET state = 'refund_due' WHERE reason IS NOT NULL");
    falsified("UPDATE orders SET order_status = 'REFUNDED' WHERE order_status = 'PAID'",
              "UPDATE orders SET order_status = 'PAID' WHERE NOT EXISTS"
              " (SELECT 1 FROM refunds WHERE order_id = orders.id)");
    falsified("UPDATE order_lives SET extended = NOT extended, payment_id = NULL",
              "UPDATE order_lives SET extended = NOT extended, payment_id ="
              " (SELECT id FROM payments p WHERE p.order_id = order_lives.order_id)");
}

TEST_CASE("money: what comes too late buys the same again, at the old price") {
    money_record record(each_database());
    const uuid late = record.overdue(), cancelled = record.held(), other = record.held();
    REQUIRE(record.life->expire(10)->size() == 1);
    REQUIRE(record.cancel(cancelled).size() == 1);
    const order::payment first = record.pay(late, "r1"), second = record.pay(cancelled, "r2");
    CHECK(first.state == payment_state::placing);
    CHECK(second.state == payment_state::placing);
    CHECK_FALSE(first.decided_at.has_value());
    auto waiting = record.replacements->late(ids{first.id, second.id});
    REQUIRE(waiting->size() == 2);
    for (const order::late_payment& one : *waiting)
        CHECK_FALSE(one.returned);
    REQUIRE(record.life->returned(returned{{late}, {cancelled}}).has_value());
    waiting = record.replacements->late(ids{first.id});
    REQUIRE(waiting->size() == 1);
    CHECK(waiting->front().returned);
    CHECK(waiting->front().old.id == late);
    CHECK(waiting->front().by.id == first.id);

    // The gate has granted it, at another price.
    events::order_accepted granted = record.accepted(record.state(late).user_id);
    granted.payment_window_s = 60;
    granted.unit_price = 5'000;
    granted.quantity = 3;
    record.must_record(std::vector{granted});
    const std::vector<order::replacement> by{{first.id, late, granted.id}};
    // Not by another's order, nor by one that has ended.
    const std::vector<order::replacement> wrong{
        {second.id, cancelled, granted.id}, {first.id, late, other}, {first.id, late, late}};
    REQUIRE(record.replacements->pay(wrong).has_value());
    CHECK(record.status(granted.id) == order_status::pending);
    CHECK(record.status(other) == order_status::pending);
    for (int twice = 0; twice < 2; ++twice)
        REQUIRE(record.replacements->pay(by).has_value());
    const order::order bought = record.state(granted.id);
    CHECK(bought.status == order_status::paid);
    CHECK(bought.unit_price == 999);
    CHECK(record.history(granted.id) ==
          std::vector<std::string>{"PENDING PAID it replaces " + late.to_string()});
    const order::payment paid = record.now(first.id);
    CHECK(paid.state == payment_state::succeeded);
    CHECK(paid.order_id == granted.id);
    CHECK(paid.replaces == late);
    // It is found with both orders, and told again it is the same.
    CHECK(record.database.wait(record.store->payments(late))->front().id == first.id);
    CHECK(record.database.wait(record.store->payments(granted.id))->front().id == first.id);
    CHECK(record.tell(late, "r1").id == first.id);
    CHECK(record.status(late) == order_status::expired);

    REQUIRE(record.replacements->give_up(ids{first.id}, ids{record.make.make()}).has_value());
    CHECK(record.now(first.id).state == payment_state::succeeded);
    REQUIRE(record.replacements->give_up(ids{second.id}, ids{record.make.make()}).has_value());
    CHECK(record.now(second.id).state == payment_state::refund_due);
    CHECK(record.all_owed().front().back.reason == "payment_too_late");
    record.adds_up();
    // It is refunded as any other.
    REQUIRE(record.refund(granted.id).size() == 1);
    CHECK(record.all_owed().size() == 2);
    record.adds_up();
}
