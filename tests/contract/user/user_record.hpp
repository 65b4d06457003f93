#pragma once

#include <catch2/catch.hpp>

#include <flashsale/user/module.hpp>

#include "../module_database.hpp"

namespace flashsale::test {

/// The users of a database of either kind.
struct user_record {
    explicit user_record(database_kind kind)
        : database(kind, sandbox::database::user, user::sqlite_migrations()),
          store(kind == database_kind::postgres
                    ? user::make_postgres_store(*database.pool())
                    : user::make_sqlite_store(*database.queue(), database.io())),
          charges(kind == database_kind::postgres ? user::make_postgres_charges(*database.session())
                                                  : user::make_sqlite_charges(*database.file())),
          credits(kind == database_kind::postgres ? user::make_postgres_credits(*database.session())
                                                  : user::make_sqlite_credits(*database.file())) {}

    auto create(std::string name, std::int64_t balance, std::string key) {
        return database.wait(store->create(std::move(name), balance, std::move(key)));
    }
    auto find(std::int64_t id) { return database.wait(store->find(id)); }
    auto deposit(std::int64_t user_id, std::int64_t amount, std::string key) {
        return database.wait(store->deposit(user_id, amount, std::move(key)));
    }
    auto entries(std::int64_t user_id, std::optional<std::int64_t> before = {},
                 std::int64_t limit = 1'000) {
        return database.wait(store->entries(user_id, before, limit));
    }

    std::int64_t make_user(std::int64_t balance) {
        const std::string number = std::to_string(++made_);
        const auto made = create("user " + number, balance, "made " + number);
        REQUIRE(made.has_value());
        return made->who.id;
    }
    std::int64_t balance(std::int64_t user) { return (*find(user))->balance; }
    /// The user's entries add up to the balance, each with what it left.
    void add_up(std::int64_t user) {
        const auto all = entries(user);
        REQUIRE(all.has_value());
        std::int64_t sum = 0;
        for (auto one = all->rbegin(); one != all->rend(); ++one) {
            sum += one->amount;
            CHECK(one->balance == sum);
        }
        CHECK(balance(user) == sum);
    }

    module_database database;
    std::unique_ptr<user::store> store;
    std::unique_ptr<user::charges> charges;
    std::unique_ptr<user::credits> credits;

private:
    int made_ = 0;
};

}  // namespace flashsale::test
