#include "record/life_sums.hpp"

#include <catch2/catch.hpp>

using namespace flashsale;
using namespace flashsale::bench;

namespace {

constexpr std::int64_t price = 100;
constexpr std::int64_t starting_balance = 1'000;

uuid id_of(int n) {
    uuid id;
    id.bytes[15] = static_cast<decltype(id.bytes)::value_type>(n);
    return id;
}

timestamp at(int milliseconds) {
    return timestamp{std::chrono::milliseconds{1'000'000 + milliseconds}};
}

/// Two units, and four orders of three users: user 1 has paid, user 2 has cancelled one and paid
/// the next, and user 3's one has expired.
struct honest {
    held_sale sale{.stock = 2,
                   .price = price,
                   .starting_balance = starting_balance,
                   .per_user_limit = 1,
                   .users = {1, 2, 3},
                   .orders = {{id_of(1), 1, order_state::paid},
                              {id_of(2), 2, order_state::cancelled},
                              {id_of(3), 3, order_state::expired},
                              {id_of(4), 2, order_state::paid}}};
    life_record record{.orders = {{id_of(1), 1, 1, order_state::paid, at(0), at(5)},
                                  {id_of(2), 2, 1, order_state::cancelled, at(1), at(6)},
                                  {id_of(3), 3, 1, order_state::expired, at(6), at(3'006)},
                                  {id_of(4), 2, 1, order_state::paid, at(3'100), at(3'101)}},
                       .returns = {{id_of(2), 1}, {id_of(3), 1}},
                       .payments = {{id_of(1), 1, price}, {id_of(4), 2, price}},
                       .balances = {{1, 900}, {2, 900}, {3, 1'000}},
                       .returned = 2};

    life_sums add() const { return add_up(sale, record); }
};

}  // namespace

TEST_CASE("life sums: a sale that holds") {
    const honest one;
    const auto sums = one.add();
    CHECK(sums.findings.empty());
    CHECK(sums.hold());
    CHECK(sums.paid == 2);
    CHECK(sums.cancelled == 1);
    CHECK(sums.expired == 1);
    CHECK(sums.returned == 2);
    CHECK(sums.held_at_once == 2);
    CHECK(sums.money == 200);
    CHECK(at_rest(one.record, 4));
    CHECK_FALSE(at_rest(one.record, 5));
}

TEST_CASE("life sums: what is still to be done is no rest") {
    honest one;
    SECTION("a return") {
        one.record.returns.pop_back();
        CHECK(one.add().unreturned > 0);
    }
    SECTION("a hold") {
        one.record.orders[3].state = state_named("PENDING");
        CHECK(one.add().unfinished == 1);
    }
    SECTION("a payment") {
        one.record.orders[3].state = state_named("PAYING");
        CHECK(one.add().unfinished == 1);
    }
    CHECK_FALSE(at_rest(one.record, 4));
    CHECK_FALSE(one.add().hold());
}

TEST_CASE("life sums: each fault is found") {
    honest one;
    SECTION("a unit sold again before it came back, though it does so later") {
        one.record.orders[3].created_at = at(3'005);
        CHECK(one.add().oversold == 1);
    }
    SECTION("more units paid for than there were") {
        one.record.orders[2].state = one.sale.orders[2].state = order_state::paid;
        CHECK(one.add().oversold == 1);
    }
    SECTION("an order that is not what its client was told") {
        one.sale.orders[1].state = order_state::paid;
        CHECK(one.add().misreported == 1);
    }
    SECTION("units that came back twice") {
        one.record.returns.push_back({id_of(2), 1});
        one.record.returned = 3;
        CHECK(one.add().unreturned == 1);
    }
    SECTION("units of an order that was paid for came back") {
        one.record.returns.push_back({id_of(1), 1});
        one.record.returned = 3;
        CHECK(one.add().unreturned == 1);
    }
    SECTION("a product that says otherwise") {
        one.record.returned = 1;
        CHECK(one.add().unreturned == 1);
    }
    SECTION("an order paid for twice") {
        one.record.payments.push_back({id_of(1), 1, price});
        one.record.balances[0].balance = 800;
        CHECK(one.add().mispaid == 1);
        CHECK(one.add().misbalanced == 0);
    }
    SECTION("an ended order paid for") {
        one.record.payments.push_back({id_of(3), 3, price});
        CHECK(one.add().mispaid == 1);
    }
    SECTION("another amount") {
        one.record.payments[0].amount = 99;
        CHECK(one.add().mispaid == 1);
    }
    SECTION("PAID without a payment") {
        one.record.payments.pop_back();
        CHECK(one.add().mispaid == 1);
    }
    SECTION("money gone") {
        one.record.balances[2].balance = 999;
        CHECK(one.add().misbalanced == 1);
    }
    SECTION("money gone for a user with no payment at all, and the user") {
        one.record.balances.pop_back();
        CHECK(one.add().misbalanced == 1);
    }
    SECTION("two units at once for a user that may have one") {
        one.record.orders[3].user = 1;
        one.sale.stock = 3;
        CHECK(one.add().limit_exceeded == 1);
    }
    CHECK_FALSE(one.add().hold());
    CHECK_FALSE(one.add().findings.empty());
}

TEST_CASE("life sums: what is not known may have become anything") {
    honest one;
    one.sale.orders[0].state = order_state::pending;
    CHECK(one.add().hold());
}
