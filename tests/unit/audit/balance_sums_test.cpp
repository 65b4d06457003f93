#include <catch2/catch.hpp>

#include <flashsale/audit/report.hpp>

#include "audited_sale.hpp"

using namespace flashsale;
using namespace flashsale::audit;
using namespace flashsale::audit::test;

TEST_CASE("audit: balances that are the sums of their entries hold") {
    sale all;
    for (std::int64_t user = 1; user <= 1'000; ++user)
        all.record.balances.add({user, user - 1, user - 1});
    CHECK(all.fault().empty());
    CHECK(add_up(all.record).users == 1'000);
    CHECK(all.record.balances.wrong().empty());
    CHECK(audit_report_text(all.record, add_up(all.record)).starts_with("users       1000\n"));
}

TEST_CASE("audit: a balance that is not the sum of its entries is told, with its user") {
    sale all;
    all.record.balances.add({1, 10, 10});
    const auto check = [&](const only& sums, const std::string& told) {
        all.record.balances.add({3, 10, 10});
        CHECK(all.faults() == sums);
        const auto result = add_up(all.record);
        CHECK(result.faults.front().user_id == 2);
        CHECK(result.faults.front().product_id == 0);
        CHECK(audit_report_text(all.record, result).contains("FAULT user 2: " + told + "\n"));
        CHECK(audit_report_json(all.record, result).contains(R"("user_id":2,)"));
    };
    SECTION("more") {
        all.record.balances.add({2, 11, 10});
        check({"balance = sum of entries"}, "balance = sum of entries: balance 11, entries 10");
    }
    SECTION("less") {
        all.record.balances.add({2, 0, 10});
        check({"balance = sum of entries"}, "balance = sum of entries: balance 0, entries 10");
    }
    SECTION("below zero, though it is the sum") {
        all.record.balances.add({2, -1, -1});
        check({"balance >= 0"}, "balance >= 0: balance -1");
    }
    SECTION("both") {
        all.record.balances.add({2, -1, 0});
        check({"balance = sum of entries", "balance >= 0"},
              "balance = sum of entries: balance -1, entries 0");
    }
    SECTION("entries whose user is gone") {
        all.record.balances.add({2, std::nullopt, 10});
        check({"every entry has a user"}, "every entry has a user: no such user, entries 10");
        CHECK(add_up(all.record).users == 2);
    }
}
