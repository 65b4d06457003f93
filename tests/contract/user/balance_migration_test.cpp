// Users from before balances had entries.

#include <catch2/catch.hpp>

#include "user_record.hpp"

using namespace flashsale;
using namespace flashsale::test;
using flashsale::user::store_errc;

TEST_CASE("user balance: users from before have the entry that their balance starts with") {
    user_record record(each_database());
    const bool is_file = record.database.file() != nullptr;
    record.database.sql(
        "DROP TABLE balance_entries; DROP TABLE charge_decisions; DELETE FROM schema_migrations "
        "WHERE version > 2");
    const std::string made_at = is_file ? "86400000000" : "'1970-01-02T00:00:00Z'";
    record.database.sql(
        "INSERT INTO users (username, compared_name, balance, idempotency_key, created_at) VALUES"
        " ('none', 'none', 0, 'n', " +
        made_at + "), ('some', 'some', 700, 's', " + made_at +
        "),"
        // 0.1 took what an integer of the database holds.
        " ('most', 'most', 9223372036854775807, 'm', " +
        made_at + ")");
    CHECK(record.database.migrate(user::postgres_migrations(), user::sqlite_migrations()) ==
          std::vector<std::string>{"0003_balance"});
    CHECK(record.database.migrate(user::postgres_migrations(), user::sqlite_migrations()).empty());

    const auto id_of = [&](const char* name) {
        return (*record.database.wait(record.store->find_by_name(name)))->id;
    };
    CHECK(record.entries(id_of("none"))->empty());
    const auto some = record.entries(id_of("some"));
    REQUIRE(some.has_value());
    REQUIRE(some->size() == 1);
    CHECK(some->front().kind == "starting");
    CHECK(some->front().amount == 700);
    CHECK(some->front().balance == 700);
    CHECK(some->front().created_at == timestamp{} + std::chrono::days{1});
    CHECK(record.entries(id_of("most"))->front().amount == 9'223'372'036'854'775'807);

    CHECK(record.deposit(id_of("none"), 5, "k")->entry.balance == 5);
    CHECK(record.deposit(id_of("some"), 5, "k")->entry.balance == 705);
    CHECK(record.deposit(id_of("most"), 5, "k").error() == store_errc::balance_too_high);
    CHECK(record.create("some", 700, "s")->replayed);
    CHECK(record.create("none", 0, "n")->replayed);
}
