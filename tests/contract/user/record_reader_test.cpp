// What the audit reads of balances, on each database.

#include <catch2/catch.hpp>

#include <flashsale/user/record.hpp>

#include "user_record.hpp"

using namespace flashsale;
using namespace flashsale::test;

namespace {

using shown = std::vector<std::tuple<std::int64_t, std::optional<std::int64_t>, std::int64_t>>;

/// All of it, in pages of so many users, and how many pages.
std::pair<shown, int> read(user::record_reader& reader, std::size_t users_max) {
    shown out;
    int pages = 0;
    std::optional<std::int64_t> after = std::numeric_limits<std::int64_t>::min();
    while (after) {
        const auto page = reader.balances(*after, users_max);
        REQUIRE(page.has_value());
        ++pages;
        for (const auto& one : page->rows)
            out.emplace_back(one.user_id, one.balance, one.entries);
        after = page->next;
    }
    return {out, pages};
}

}  // namespace

TEST_CASE("user record: each user's balance with the sum of its entries, by pages") {
    user_record record(each_database());
    auto& database = record.database;
    const auto reader = database.file() != nullptr
                            ? user::make_sqlite_record_reader(*database.file())
                            : user::make_postgres_record_reader(*database.session());
    CHECK(read(*reader, 2) == std::pair(shown{}, 1));

    std::vector<std::int64_t> ids;
    for (int i = 0; i < 5; ++i) {
        const std::string name = "u" + std::to_string(i);
        ids.push_back(record.create(name, i % 2 == 0 ? 0 : 100, name)->who.id);
        if (i > 1) REQUIRE(record.deposit(ids.back(), i, "k").has_value());
        if (i > 2) REQUIRE(record.deposit(ids.back(), i, "l").has_value());
    }
    const shown all{
        {ids[0], 0, 0}, {ids[1], 100, 100}, {ids[2], 2, 2}, {ids[3], 106, 106}, {ids[4], 8, 8}};
    CHECK(read(*reader, 2) == std::pair(all, 3));
    CHECK(read(*reader, 5) == std::pair(all, 2));
    CHECK(read(*reader, 6) == std::pair(all, 1));

    const auto of = [](std::int64_t id) { return " = " + std::to_string(id); };
    database.sql("UPDATE users SET balance = 99 WHERE id" + of(ids[1]) +
                 "; UPDATE balance_entries SET amount = amount + 1 WHERE user_id" + of(ids[3]) +
                 "; DELETE FROM users WHERE id" + of(ids[2]) + " OR id" + of(ids[4]));
    const shown wrong{{ids[0], 0, 0},
                      {ids[1], 99, 100},
                      {ids[2], std::nullopt, 2},
                      {ids[3], 106, 109},
                      {ids[4], std::nullopt, 8}};
    for (const std::size_t users_max : {1u, 2u, 3u, 4u})
        CHECK(read(*reader, users_max).first == wrong);

    database.sql("DROP TABLE balance_entries");
    CHECK(reader->balances(0, 2).error().starts_with("user database: "));
}
