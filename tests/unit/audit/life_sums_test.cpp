// The sums over ended orders and over money: each goes red for its kind of damage, and none while a
// change is on its way.

#include <catch2/catch.hpp>

#include "audited_sale.hpp"

using namespace flashsale;
using namespace flashsale::audit;
using namespace flashsale::audit::test;
using order::payment_state;
using stock::came_back;

namespace {

/// The first order has ended and its unit is back; the second one is paid for.
struct life : sale {
    uuid ended, paid, payment;

    life() : ended(ids[0]), paid(ids[1]), payment(ids[3]) {
        record.orders[{ended}].ended = true;
        record.movements[{ended}].back = came_back::returned;
        record.products[1] = {1, 11, 8, 1, 8, 11, 3, 0, 0, 1, 1};
        record.levels[1] = gate_level{7, 11, 1, 4};
        record.life.taken[payment] = {payment, paid, 2, 100};
        record.life.payments[payment] = {.id = payment,
                                         .order_id = paid,
                                         .user_id = 2,
                                         .amount = 100,
                                         .state = payment_state::succeeded};
    }

    order::payment& money() { return record.life.payments.at(payment); }
};

constexpr const char* one_to_one = "returns and ended orders match one to one";

}  // namespace

TEST_CASE("audit: an order that has ended gives its units back once, and no other does") {
    life all;
    CHECK(all.fault().empty());
    SECTION("a buyer whose order has ended may have another") {
        uuid_generator make;
        const uuid another = make.make();
        all.record.orders[{another}] = sold_to(1, another, 5);
        all.record.orders[{another}].idempotency_key = "another";
        CHECK(all.fault().empty());
        all.record.orders[{all.ended}].ended = false;
        CHECK(all.faults() == only{"no user above the limit", one_to_one});
    }
    SECTION("returned, and not ended") {
        all.record.orders[{all.ended}].ended = false;
        CHECK(all.fault() == one_to_one);
    }
    SECTION("ended, and not returned") {
        all.record.movements[{all.ended}].back = came_back::no;
        CHECK(all.fault() == one_to_one);
        SECTION("but it is on its way") {
            all.record.life.unfinished.push_back({all.ended, 1, order::order_status::expired});
            CHECK(all.fault().empty());
            all.record.life.unfinished.back().age = unfinished_max;
            CHECK(all.fault() == "what was begun is finished");
        }
        SECTION("but it came back after the ledger was read") {
            all.record.life.returned_later.push_back({all.ended});
            CHECK(all.fault().empty());
        }
    }
    SECTION("a product says another number than its movements") {
        all.record.products[1].returned_in_all = 2;
        CHECK(all.fault() == "returned = sum of returns");
    }
    SECTION("a buyer's returns are looked at when nothing moves") {
        all.record.products[1].per_user_limit = 1;
        CHECK(all.fault().empty());
        all.record.outbox.clear();
        all.record.orders[{all.ids[3]}] = sold_to(4, all.ids[3], 4);
        all.record.movements[{all.ids[3]}] = taken(all.ids[3], 4);
        all.record.products[1] = {1, 11, 7, 1, 7, 11, 4, 0, 0, 1, 1};
        all.record.at_rest = true;
        const char* sum = "a buyer's returns = sum of the buyer's returned orders";
        CHECK(all.fault() == sum);
        all.record.life.buyers.push_back({1, 1, 1});
        CHECK(all.fault().empty());
        all.record.life.buyers.push_back({1, 2, 1});
        CHECK(all.fault() == sum);
    }
}

TEST_CASE("audit: money that was taken has paid its order, and what is paid for was taken") {
    life all;
    SECTION("a payment that is not decided yet") {
        all.money().state = payment_state::started;
        CHECK(all.fault().empty());  // it was taken after the payments were read
    }
    SECTION("taken, and said to have failed") {
        all.money().state = payment_state::failed;
        CHECK(all.fault() == "money that was taken has paid its order");
    }
    SECTION("taken, and no such payment") {
        all.record.life.payments.clear();
        CHECK(all.fault() == "money that was taken has paid its order");
    }
    SECTION("taken for another amount") {
        all.record.life.taken.at(all.payment).amount = 99;
        CHECK_FALSE(all.fault().empty());
    }
    SECTION("taken twice for one order") {
        const uuid second = uuid_generator().make();
        all.record.life.taken[second] = all.record.life.taken.at(all.payment);
        all.record.life.taken[second].payment_id = second;
        all.record.life.payments[second] = all.money();
        all.record.life.payments[second].state = payment_state::started;
        CHECK(all.faults() == only{"at most one payment of an order is taken"});
    }
    SECTION("paid for, and nothing was taken") {
        all.record.life.taken.clear();
        CHECK(all.fault() == "what was paid for was taken");
        SECTION("but it was, after that was read") {
            all.record.life.taken_later[all.payment] = {all.payment, all.paid, 2, 100};
            CHECK(all.fault().empty());
            all.record.life.taken_later[all.payment].user_id = 3;
            CHECK(all.fault() == "what was paid for was taken");
        }
    }
    SECTION("an order is paid otherwise") {
        all.record.life.paid_otherwise.push_back(all.paid);
        CHECK(all.fault() == "every paid order has one payment of its total");
    }
    SECTION("a payment without its entry") {
        all.record.life.without_entry.push_back({all.payment, all.paid, 2, 100});
        CHECK(all.fault() == "payments taken and entries match one to one");
    }
    SECTION("an entry that says another balance") {
        all.record.life.broken_books.push_back(2);
        CHECK(all.fault() == "each entry leads from one balance to the next");
    }
}

TEST_CASE("audit: a balance gets back what a refund says, and nothing else") {
    life all;
    const uuid refund = uuid_generator().make();
    const std::string id = refund.to_string();
    all.money().state = payment_state::refunded;
    all.record.life.refunds[id] = {.id = refund,
                                   .payment_id = all.payment,
                                   .order_id = all.paid,
                                   .user_id = 2,
                                   .amount = 100,
                                   .state = order::refund_state::succeeded};
    const user::given_refund entry{id, all.payment, all.paid, 2, 100};
    all.record.life.given_back[id] = entry;
    const char* sum = "refunds and what balances got back match one to one";
    CHECK(all.fault().empty());
    SECTION("a balance has got nothing") {
        all.record.life.given_back.clear();
        CHECK(all.fault() == sum);
        all.record.life.given_later[id] = entry;  // it was read after that
        CHECK(all.fault().empty());
        all.record.life.given_later[id].amount = 99;
        CHECK(all.fault() == sum);
    }
    SECTION("a balance has got what no refund says") {
        all.record.life.refunds.clear();
        CHECK(all.fault() == sum);
    }
    SECTION("another amount, another user") {
        all.record.life.given_back[id].amount = 101;
        CHECK(all.fault() == sum);
        all.record.life.given_back[id] = entry;
        all.record.life.given_back[id].user_id = 3;
        CHECK(all.fault() == sum);
    }
    SECTION("one that is pending is owed, and no fault") {
        all.record.life.given_back.clear();
        all.record.life.refunds[id].state = order::refund_state::pending;
        all.record.life.refunds[id].created_at = timestamp(std::chrono::seconds(7));
        const auto result = add_up(all.record);
        CHECK(result.holds());
        CHECK(result.owed.refunds == 1);
        CHECK(result.owed.amount == 100);
        CHECK(result.owed.since == timestamp(std::chrono::seconds(7)));
        all.record.life.money_unfinished.push_back({all.paid, true, unfinished_max});
        CHECK(all.fault() == "what was begun is finished");
        all.record.life.money_unfinished[0].age -= std::chrono::microseconds(1);
        CHECK(all.fault().empty());
    }
    SECTION("one to the outside is the shop's own") {
        all.record.life.given_back.clear();
        all.record.life.refunds[id].method = order::payment_method::external;
        CHECK(all.fault().empty());
        all.record.life.given_back[id] = entry;
        CHECK(all.fault() == sum);
    }
    SECTION("what the order database alone can say") {
        all.record.life.refunded_otherwise.push_back(all.paid);
        CHECK(all.fault() == "every payment that goes back has one refund of its amount");
    }
}

TEST_CASE("audit: money from outside was never taken from a balance") {
    life all;
    all.money().method = order::payment_method::external;
    all.record.life.taken.clear();
    CHECK(all.fault().empty());
    all.money().method = order::payment_method::balance;
    all.money().state = payment_state::refund_due;
    CHECK(all.fault() == "what was paid for was taken");
}

TEST_CASE("audit: money that came in has paid, or goes back") {
    life all;
    all.money().method = order::payment_method::external;
    all.money().received_at = timestamp(std::chrono::seconds(7));
    all.record.life.taken.clear();
    CHECK(all.fault().empty());
    all.money().state = payment_state::failed;
    CHECK(all.fault() == "money that came in has paid, or goes back");
    all.money().received_at.reset();  // it was only announced
    CHECK(all.fault().empty());
}
