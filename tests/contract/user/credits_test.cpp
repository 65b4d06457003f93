// Refunds to balances, on each database: each once, and of nothing that was not taken.

#include <catch2/catch.hpp>

#include <thread>

#include "user_record.hpp"

using namespace flashsale;
using namespace flashsale::test;
using user::credit;

namespace {

struct refunding_record : user_record {
    using user_record::user_record;

    /// A payment that was taken, and its refund.
    credit paid(std::int64_t user, std::int64_t amount) {
        const credit one{make.make(), make.make(), make.make(), user, amount};
        const auto decided = charges->decide(
            std::vector<user::charge>{{one.payment_id, one.order_id, user, amount}});
        REQUIRE(decided.has_value());
        REQUIRE(decided->front() == user::charge_decision::taken);
        return one;
    }
    std::size_t give_back(const std::vector<credit>& all) {
        const auto done = credits->give_back(all);
        if (!done) throw std::runtime_error(done.error());
        return done->size();
    }
    uuid_generator make;
};

}  // namespace

TEST_CASE("credits: a refund is given back once, however often it is asked for") {
    refunding_record record(each_database());
    const auto ada = record.make_user(100), bob = record.make_user(50);
    const credit first = record.paid(ada, 30), second = record.paid(ada, 70),
                 other = record.paid(bob, 50), free = record.paid(bob, 0);
    CHECK(record.balance(ada) == 0);
    CHECK(record.give_back({first, other, second, free}) == 4);
    CHECK(record.give_back({second, first, free}) == 3);
    CHECK(record.balance(ada) == 100);
    CHECK(record.balance(bob) == 50);
    record.add_up(ada);
    record.add_up(bob);
    const auto entry = record.entries(ada)->front();
    CHECK(entry.kind == "refund");
    CHECK(entry.order_id.has_value());
    CHECK(entry.payment_id.has_value());
    CHECK(record.entries(ada)->size() == 5);
    CHECK(record.entries(bob)->size() == 3);
}

TEST_CASE("credits: nothing goes back that was not taken") {
    refunding_record record(each_database());
    const auto ada = record.make_user(100), bob = record.make_user(100);
    const credit good = record.paid(ada, 40);
    credit invented = good, dear = good, foreign = good;
    invented.payment_id = record.make.make();
    dear.amount = 41;
    foreign.user_id = bob;
    invented.refund_id = record.make.make();
    dear.refund_id = record.make.make();
    foreign.refund_id = record.make.make();
    CHECK(record.give_back({invented, dear, foreign}) == 0);
    CHECK(record.give_back({invented, good, foreign}) == 1);
    CHECK(record.balance(ada) == 100);
    CHECK(record.balance(bob) == 100);
    record.add_up(ada);
}

TEST_CASE("credits: many processes that give back the same refunds give each once") {
    refunding_record record(database_kind::postgres);
    const auto user = record.make_user(1'000);
    std::vector<credit> all;
    for (int i = 0; i < 50; ++i)
        all.push_back(record.paid(user, 20));
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            postgres::session own(record.database.server());
            const auto port = user::make_postgres_credits(own);
            // One that comes second to an entry's key finds it at the next try.
            for (auto done = port->give_back(all); !done || done->size() != all.size();)
                done = port->give_back(all);
        });
    }
    threads.clear();
    CHECK(record.balance(user) == 1'000);
    record.add_up(user);
}

TEST_CASE("credits: a balance that a row can hardly hold gets nothing, and hinders no other") {
    refunding_record record(each_database());
    const auto rich = record.make_user(100), other = record.make_user(100);
    const credit first = record.paid(rich, 60), second = record.paid(other, 60);
    record.database.sql("UPDATE users SET balance = 4611686018427387900 WHERE id = " +
                        std::to_string(rich));
    CHECK(record.give_back({first, second}) == 1);
    CHECK(record.balance(other) == 100);
    CHECK(record.balance(rich) == 4611686018427387900);
}
