// What the audit reads of payments: each row that is not as it was decided stands out; on each
// database.

#include <catch2/catch.hpp>

#include <flashsale/user/record.hpp>

#include "payers.hpp"

using namespace flashsale;
using namespace flashsale::test;

namespace {

struct paid : payers {
    paid()
        : reader(database.file() != nullptr
                     ? user::make_sqlite_record_reader(*database.file())
                     : user::make_postgres_record_reader(*database.session())),
          ada(payer("ada", 100)),
          eve(payer("eve", 100)),
          first(charge(ada, 10)),
          second(charge(ada, 20)),
          declined(charge(ada, 1'000)),
          of_eve(charge(eve, 30)) {
        REQUIRE(decide({first, second, declined, of_eve, charge(eve, 0)}) == "ttdtt");
        REQUIRE(deposit(ada, 7, "k").has_value());
        REQUIRE(odd().empty());
        REQUIRE(broken().empty());
    }

    static std::string of(const std::string& id) { return " WHERE payment_id = " + id; }
    std::string of(const user::charge& one) { return of(literal(one.payment_id)); }
    /// Payments that do not fit their entries.
    std::vector<uuid> odd() {
        const auto found = reader->without_entry();
        if (!found) throw std::runtime_error(found.error());
        std::vector<uuid> out;
        for (const user::taken_charge& one : *found)
            out.push_back(one.payment_id);
        return out;
    }
    std::vector<std::int64_t> broken() {
        const auto found = reader->broken_books();
        if (!found) throw std::runtime_error(found.error());
        return *found;
    }

    std::unique_ptr<user::record_reader> reader;
    std::int64_t ada, eve;
    user::charge first, second, declined, of_eve;
};

}  // namespace

TEST_CASE("user record: payments that were taken, all of them and those asked for") {
    paid record;
    std::vector<uuid> all;
    REQUIRE(record.reader->for_each_taken(
        [&](const user::taken_charge& one) { all.push_back(one.payment_id); }));
    CHECK(all.size() == 4);
    CHECK(std::ranges::count(all, record.declined.payment_id) == 0);
    const auto found = record.reader->taken(
        std::vector{record.declined.payment_id, record.second.payment_id, record.ids.make()});
    REQUIRE(found.has_value());
    REQUIRE(found->size() == 1);
    CHECK(found->front().payment_id == record.second.payment_id);
    CHECK(found->front().order_id == record.second.order_id);
    CHECK(found->front().user_id == record.ada);
    CHECK(found->front().amount == 20);
}

TEST_CASE("user record: an entry that says another balance than its like breaks a user's books") {
    paid record;
    const auto entries = record.entries(record.ada).value();  // newest first
    const std::size_t which = GENERATE(0u, 1u, 3u);
    record.database.sql("UPDATE balance_entries SET balance_after = balance_after + 1 WHERE id = " +
                        std::to_string(entries[which].id));
    CHECK(record.broken() == std::vector{record.ada});
    CHECK(record.odd().empty());
}

TEST_CASE("user record: a payment and an entry that are not of each other stand out") {
    paid record;
    const uuid other = record.ids.make();
    const std::string id = " = " + record.literal(other);
    const std::string one = record.of(record.first);
    const uuid payment = record.first.payment_id;
    const auto check = [&](const std::string& change, std::vector<uuid> found) {
        INFO(change);
        std::ranges::sort(found);  // of one millisecond, whichever is first
        record.database.sql(change + one);
        CHECK(record.odd() == found);
    };
    SECTION("an entry of another payment") {
        check("UPDATE balance_entries SET payment_id" + id, {payment, other});
    }
    SECTION("an entry of another order") {
        check("UPDATE balance_entries SET order_id" + id, {payment});
    }
    SECTION("an entry of another user") {
        check("UPDATE balance_entries SET user_id = " + std::to_string(record.eve), {payment});
        CHECK(record.broken().size() == 2);
    }
    SECTION("an entry of another amount") {
        check("UPDATE balance_entries SET amount = amount - 1", {payment});
        CHECK(record.broken() == std::vector{record.ada});
    }
    SECTION("no entry") {
        check("DELETE FROM balance_entries", {payment});
    }
    SECTION("a decision of another payment") {
        check("UPDATE charge_decisions SET payment_id" + id, {payment, other});
    }
    SECTION("a decision of another order") {
        check("UPDATE charge_decisions SET order_id" + id, {payment});
    }
    SECTION("a decision of another user") {
        check("UPDATE charge_decisions SET user_id = user_id + 1", {payment});
    }
    SECTION("a decision of another amount") {
        check("UPDATE charge_decisions SET amount = amount + 1", {payment});
    }
    SECTION("a decision of nothing") {
        check("UPDATE charge_decisions SET amount = 0", {payment});
    }
    SECTION("declined, and an entry") {
        check("UPDATE charge_decisions SET taken = NOT taken", {payment});
    }
    SECTION("no decision") {
        check("DELETE FROM charge_decisions", {payment});
    }
    SECTION("two entries, under two keys") {
        check(
            "INSERT INTO balance_entries (user_id, amount, kind, order_id, payment_id,"
            " idempotency_key, balance_after, created_at) SELECT user_id, amount, kind,"
            " order_id, payment_id, 'k', 67, created_at FROM balance_entries",
            {payment});
        CHECK(record.broken().empty());
    }
    SECTION("taken, though it was declined") {
        record.database.sql("UPDATE charge_decisions SET taken = NOT taken" +
                            record.of(record.declined));
        CHECK(record.odd() == std::vector{record.declined.payment_id});
    }
}

TEST_CASE("user record: what is falsified beyond the first page is found too") {
    paid record;
    const bool postgres = record.database.session() != nullptr;
    constexpr int many = 10'500;  // a page has 10,000
    const std::string count = std::to_string(many);
    const std::string numbers =
        postgres ? "SELECT n FROM generate_series(1, " + count + ") AS n"
                 : "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < " +
                       count + ") SELECT n FROM c";
    const std::string now = postgres ? "now()" : "1", yes = postgres ? "true" : "1";
    const std::string new_id = postgres ? "gen_random_uuid()" : "randomblob(16)";
    record.database.sql(
        "INSERT INTO users (username, balance, created_at) SELECT 'many ' || n, 2, " + now +
        " FROM (" + numbers + ") AS numbered");
    const std::string those = " WHERE username LIKE 'many %'";
    record.database.sql(
        "INSERT INTO balance_entries (user_id, amount, kind, idempotency_key, balance_after,"
        " created_at) SELECT id, 7, 'starting', '', 7, " +
        now + " FROM users" + those + " ORDER BY id");
    record.database.sql("INSERT INTO charge_decisions SELECT " + new_id + ", " + new_id +
                        ", id, 5, " + yes + ", " + now + " FROM users" + those);
    record.database.sql(
        "INSERT INTO balance_entries (user_id, amount, kind, order_id, payment_id,"
        " idempotency_key, balance_after, created_at) SELECT user_id, -amount, 'payment', order_id,"
        " payment_id, 'p', 2, decided_at FROM charge_decisions WHERE user_id IN"
        " (SELECT id FROM users" +
        those + ") ORDER BY user_id");
    REQUIRE(record.odd().empty());
    REQUIRE(record.broken().empty());
    const std::string last = " WHERE id = (SELECT max(id) FROM balance_entries)";
    SECTION("an entry of another order") {
        record.database.sql("UPDATE balance_entries SET order_id = " + new_id + last);
        CHECK(record.odd().size() == 1);
        CHECK(record.broken().empty());
    }
    SECTION("no entry") {
        record.database.sql("DELETE FROM balance_entries" + last);
        CHECK(record.odd().size() == 1);
    }
    SECTION("no decisions, of more than one page") {
        record.database.sql("DELETE FROM charge_decisions WHERE user_id IN (SELECT id FROM users" +
                            those + ")");
        CHECK(record.odd().size() == many);
    }
    SECTION("another balance") {
        record.database.sql("UPDATE balance_entries SET balance_after = balance_after + 1" + last);
        CHECK(record.broken().size() == 1);
        CHECK(record.odd().empty());
    }
}
