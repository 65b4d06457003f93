// Payments from balances, on each database: one decision for each, and never more than there is.

#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>

#include "user_record.hpp"

using namespace flashsale;
using namespace flashsale::test;
using user::charge;
using user::charge_decision;

namespace {

constexpr charge_decision taken = charge_decision::taken, declined = charge_decision::declined;

struct charging_record : user_record {
    using user_record::user_record;

    charge of(std::int64_t user, std::int64_t amount, uuid order = {}) {
        return {make.make(), order == uuid{} ? make.make() : order, user, amount};
    }
    std::vector<charge_decision> decide(const std::vector<charge>& all) {
        auto done = charges->decide(all);
        if (!done) throw std::runtime_error(done.error());
        return std::move(*done);
    }
    uuid_generator make;
};

}  // namespace

TEST_CASE("charges: one is decided once, whatever is asked again and however late") {
    charging_record record(each_database());
    const auto user = record.make_user(100);
    const charge first = record.of(user, 70), second = record.of(user, 70);
    CHECK(record.decide({first, second}) == std::vector{taken, declined});
    CHECK(record.balance(user) == 30);
    REQUIRE(record.deposit(user, 1'000, "k").has_value());
    // There is enough by now, and it stays declined.
    for (int round = 0; round < 2; ++round)
        CHECK(record.decide({second, first}) == std::vector{declined, taken});
    CHECK(record.decide({first, first, record.of(user, 30)}) == std::vector{taken, taken, taken});
    CHECK(record.balance(user) == 1'000);
    record.add_up(user);
    const auto entries = record.entries(user);
    CHECK(std::ranges::count(*entries, std::string("payment"), &user::balance_entry::kind) == 2);
}

TEST_CASE("charges: what is too dear leaves the balance to those behind it") {
    charging_record record(each_database());
    const auto user = record.make_user(100), other = record.make_user(50);
    CHECK(record.decide({record.of(user, 60), record.of(other, 50), record.of(user, 60),
                         record.of(user, 40), record.of(other, 1), record.of(user, 0)}) ==
          std::vector{taken, taken, declined, taken, declined, taken});
    CHECK(record.balance(user) == 0);
    CHECK(record.balance(other) == 0);
    record.add_up(user);
    record.add_up(other);
}

TEST_CASE("charges: an order is paid for once, by whichever payment") {
    charging_record record(each_database());
    const auto user = record.make_user(100);
    const uuid order = record.make.make();
    CHECK(record.decide({record.of(user, 10, order), record.of(user, 10, order)}) ==
          std::vector{taken, declined});
    CHECK(record.decide({record.of(user, 10, order)}) == std::vector{declined});
    CHECK(record.balance(user) == 90);
}

TEST_CASE("charges: nobody who is not there pays, and nobody more than a balance can hold") {
    charging_record record(each_database());
    const auto user = record.make_user(user::balance_max);
    CHECK(record.decide({record.of(user + 1, 0), record.of(user, user::balance_max + 1)}) ==
          std::vector{declined, declined});
    CHECK(record.decide({record.of(user, user::balance_max)}) == std::vector{taken});
    record.add_up(user);
}

TEST_CASE("charges: many processes that decide the same payments, while deposits come") {
    charging_record record(database_kind::postgres);
    std::vector<std::int64_t> users;
    for (int i = 0; i < 5; ++i)
        users.push_back(record.make_user(500));
    std::vector<charge> all;
    for (int i = 0; i < 200; ++i)
        all.push_back(record.of(users[static_cast<std::size_t>(i) % users.size()], 50));
    std::vector<std::vector<charge_decision>> decided(4);
    {
        std::vector<std::jthread> threads;
        for (std::size_t process = 0; process < decided.size(); ++process) {
            threads.emplace_back([&, process] {
                postgres::session own(record.database.server());
                const auto port = user::make_postgres_charges(own);
                for (std::size_t i = 0; i < all.size(); i += 10) {
                    // Each in an order of its own.
                    const std::size_t at = (i + process * 50) % all.size();
                    std::vector<charge> piece(all.begin() + static_cast<std::ptrdiff_t>(at),
                                              all.begin() + static_cast<std::ptrdiff_t>(at + 10));
                    if (process % 2 == 1) std::ranges::reverse(piece);
                    while (!port->decide(piece)) {
                    }
                }
                while (true) {
                    auto again = port->decide(all);
                    if (!again) continue;
                    decided[process] = std::move(*again);
                    break;
                }
            });
        }
        threads.emplace_back([&] {
            postgres::session own(record.database.server());
            for (int i = 0; i < 20; ++i) {
                for (const auto user : users) {
                    const auto done = own.execute(
                        "WITH changed AS (UPDATE users SET balance = balance + 10 WHERE id = " +
                        std::to_string(user) +
                        " RETURNING id, balance) INSERT INTO balance_entries (user_id, amount, "
                        "kind,"
                        " idempotency_key, balance_after, created_at)"
                        " SELECT id, 10, 'deposit', 'k" +
                        std::to_string(i) + "', balance, clock_timestamp() FROM changed");
                    if (!done) throw std::runtime_error(done.error().message);
                }
            }
        });
    }
    for (const auto& one : decided)
        CHECK(one == decided[0]);
    for (const auto user : users) {
        std::int64_t spent = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].user_id == user && decided[0][i] == taken) spent += all[i].amount;
        }
        CHECK(spent >= 500);
        CHECK(record.balance(user) == 500 + 200 - spent);
        record.add_up(user);
    }
}
