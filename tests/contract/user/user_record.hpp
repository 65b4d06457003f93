#pragma once

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

    module_database database;
    std::unique_ptr<user::store> store;
    std::unique_ptr<user::charges> charges;
    std::unique_ptr<user::credits> credits;
};

}  // namespace flashsale::test
