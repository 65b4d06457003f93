// A user's balance is the sum of its entries, whatever is asked for at once; on each database.

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "user_record.hpp"

using namespace flashsale;
using namespace flashsale::test;
using flashsale::user::balance_entry;
using flashsale::user::balance_max;
using flashsale::user::store_errc;

namespace {

using answers = std::vector<std::expected<user::store::deposited, store_errc>>;

struct funds {
    explicit funds(std::int64_t balance, database_kind kind = each_database())
        : record(kind), user(record.create("ada", balance, "made")->who.id) {}

    auto deposit(std::int64_t amount, std::string key) {
        return record.deposit(user, amount, std::move(key));
    }

    /// What `amount_of(i)` says under `key_of(i)`, all at once.
    answers deposit_at_once(int count, const std::function<std::int64_t(int)>& amount_of,
                            const std::function<std::string(int)>& key_of) {
        answers out;
        const auto ask = [&](int i) -> awaitable<> {
            auto answer = co_await record.store->deposit(user, amount_of(i), key_of(i));
            out.push_back(std::move(answer));
        };
        for (int i = 0; i < count; ++i)
            asio::co_spawn(record.database.io(), ask(i), [](std::exception_ptr) {});
        record.database.run_until([&] { return std::ssize(out) == count; });
        return out;
    }

    std::int64_t balance() { return (*record.find(user))->balance; }

    /// Each entry adds to the balance that the one before it has left, and the last one's is the
    /// user's.
    void check_adds_up() {
        auto all = record.entries(user);
        REQUIRE(all.has_value());
        CHECK(std::ranges::is_sorted(*all, std::greater<>(), &balance_entry::id));
        std::ranges::reverse(*all);
        std::int64_t sum = 0;
        for (const balance_entry& one : *all) {
            sum += one.amount;
            CHECK(one.balance == sum);
        }
        CHECK(balance() == sum);
    }

    std::vector<std::int64_t> amounts() {
        std::vector<std::int64_t> out;
        for (const balance_entry& one : record.entries(user).value())
            out.push_back(one.amount);
        return out;
    }

    user_record record;
    std::int64_t user = 0;
};

}  // namespace

TEST_CASE("user balance: a deposit is added and noted, once for each key of its user") {
    funds ada(700);
    const auto before = wall_clock_now() - std::chrono::seconds{60};
    const auto made = ada.deposit(300, "k");
    REQUIRE(made.has_value());
    CHECK_FALSE(made->replayed);
    CHECK(made->entry.user_id == ada.user);
    CHECK(made->entry.kind == "deposit");
    CHECK(made->entry.amount == 300);
    CHECK(made->entry.balance == 1'000);
    CHECK(made->entry.created_at > before);
    REQUIRE(ada.deposit(1, "another").has_value());

    const auto again = ada.deposit(300, "k");
    REQUIRE(again.has_value());
    CHECK(again->replayed);
    CHECK(again->entry.id == made->entry.id);
    CHECK(again->entry.balance == 1'000);
    CHECK(again->entry.created_at == made->entry.created_at);
    CHECK(ada.deposit(301, "k").error() == store_errc::idempotency_key_reused);
    CHECK(ada.balance() == 1'001);

    // The key that made the user, and the key of another user, are other keys.
    CHECK(ada.deposit(4, "made")->replayed == false);
    const std::int64_t eve = ada.record.create("eve", 0, "eve")->who.id;
    CHECK(ada.record.deposit(eve, 5, "k")->entry.balance == 5);
    CHECK(ada.amounts() == std::vector<std::int64_t>{4, 1, 300, 700});
    ada.check_adds_up();
    CHECK(ada.record.deposit(eve + 1'000, 5, "k").error() == store_errc::user_not_found);
}

TEST_CASE("user balance: what a user is made with is the first entry, and repeated as it was") {
    funds ada(700);
    const auto all = ada.record.entries(ada.user);
    REQUIRE(all.has_value());
    REQUIRE(all->size() == 1);
    CHECK(all->front().kind == "starting");
    CHECK(all->front().amount == 700);
    CHECK(all->front().balance == 700);
    CHECK(all->front().created_at == (*ada.record.find(ada.user))->created_at);

    REQUIRE(ada.deposit(50, "k").has_value());
    const auto again = ada.record.create("ada", 700, "made");
    REQUIRE(again.has_value());
    CHECK(again->replayed);
    CHECK(again->who.balance == 700);
    CHECK(ada.record.create("ada", 750, "made").error() == store_errc::idempotency_key_reused);
    CHECK(ada.amounts() == std::vector<std::int64_t>{50, 700});

    const std::int64_t poor = ada.record.create("eve", 0, "eve")->who.id;
    CHECK(ada.record.entries(poor)->empty());
    REQUIRE(ada.record.deposit(poor, 5, "k").has_value());
    CHECK(ada.record.create("eve", 0, "eve")->who.balance == 0);
    CHECK(ada.record.create("eve", 5, "eve").error() == store_errc::idempotency_key_reused);
    CHECK(ada.record.entries(poor + 1'000).error() == store_errc::user_not_found);
}

TEST_CASE("user balance: entries come newest first, by pages") {
    funds ada(1);
    for (int i = 2; i <= 5; ++i)
        REQUIRE(ada.deposit(i, std::to_string(i)).has_value());
    const std::int64_t eve = ada.record.create("eve", 9, "eve")->who.id;
    std::vector<std::int64_t> amounts;
    std::optional<std::int64_t> before;
    for (const std::size_t size : {2u, 2u, 1u, 0u}) {
        const auto page = ada.record.entries(ada.user, before, 2);
        REQUIRE(page.has_value());
        REQUIRE(page->size() == size);
        for (const balance_entry& one : *page)
            amounts.push_back(one.amount);
        if (!page->empty()) before = page->back().id;
    }
    CHECK(amounts == std::vector<std::int64_t>{5, 4, 3, 2, 1});
    CHECK(ada.record.entries(eve)->front().amount == 9);
}

TEST_CASE("user balance: no deposit brings it above 2^53 - 1") {
    funds ada(balance_max - 10);
    CHECK(ada.deposit(11, "k").error() == store_errc::balance_too_high);
    CHECK(ada.deposit(balance_max, "k").error() == store_errc::balance_too_high);
    CHECK(ada.balance() == balance_max - 10);
    // A refusal is not remembered.
    CHECK(ada.deposit(10, "k")->entry.balance == balance_max);
    CHECK(ada.deposit(1, "another").error() == store_errc::balance_too_high);
    CHECK(ada.deposit(10, "k")->replayed);
    CHECK(ada.deposit(11, "k").error() == store_errc::idempotency_key_reused);
    ada.check_adds_up();
}

TEST_CASE("user balance: of a crowd of deposits for which there is room for some, those are made") {
    funds ada(balance_max - 55);
    const auto made =
        ada.deposit_at_once(40, [](int) { return 10; }, [](int i) { return std::to_string(i); });
    std::map<std::string, int> counted;
    for (const auto& one : made)
        ++counted[one                                           ? "made"
                  : one.error() == store_errc::balance_too_high ? "too high"
                                                                : "fault"];
    CHECK(counted == std::map<std::string, int>{{"made", 5}, {"too high", 35}});
    CHECK(ada.balance() == balance_max - 5);
    ada.check_adds_up();
}

TEST_CASE("user balance: deposits at once are all added") {
    funds ada(7);
    const auto made = ada.deposit_at_once(
        200, [](int i) { return i + 1; }, [](int i) { return std::to_string(i); });
    std::set<std::int64_t> balances;
    for (const auto& one : made) {
        REQUIRE(one.has_value());
        CHECK_FALSE(one->replayed);
        balances.insert(one->entry.balance);
    }
    CHECK(balances.size() == 200);
    CHECK(ada.balance() == 7 + 200 * 201 / 2);
    ada.check_adds_up();
}

TEST_CASE("user balance: of twins of one key at once one is added, and all are answered with it") {
    funds ada(7);
    for (int round = 0; round < 10; ++round) {
        const auto made = ada.deposit_at_once(
            20, [](int) { return 5; }, [&](int) { return std::to_string(round); });
        std::set<std::int64_t> ids;
        int first = 0;
        for (const auto& one : made) {
            REQUIRE(one.has_value());
            ids.insert(one->entry.id);
            first += !one->replayed;
        }
        CHECK(ids.size() == 1);
        CHECK(first == 1);
    }
    CHECK(ada.balance() == 57);
    ada.check_adds_up();
}

TEST_CASE("user balance: what cannot be noted is not added, and no user is made of it") {
    funds ada(7);
    REQUIRE(ada.deposit(5, "k").has_value());
    ada.record.database.sql("CREATE UNIQUE INDEX one_of_a_kind ON balance_entries (kind)");
    CHECK_FALSE(ada.deposit(6, "another").has_value());
    CHECK(ada.balance() == 12);
    CHECK_FALSE(ada.record.create("eve", 3, "eve").has_value());
    CHECK((*ada.record.database.wait(ada.record.store->find_by_name("eve"))).has_value() == false);

    ada.record.database.sql("DROP INDEX one_of_a_kind");
    CHECK(ada.deposit(6, "another")->entry.balance == 18);
    CHECK(ada.record.create("eve", 3, "eve")->replayed == false);
    ada.check_adds_up();
}

TEST_CASE("user balance: neither database takes an entry that no balance can have") {
    funds ada(7);
    const auto refused = [&](const std::string& values) {
        const std::string sql =
            "INSERT INTO balance_entries"
            " (user_id, amount, kind, idempotency_key, balance_after, created_at) VALUES (" +
            std::to_string(ada.user) + ", " + values + ", " +
            (ada.record.database.file() != nullptr ? "1" : "now()") + ")";
        return ada.record.database.session() != nullptr
                   ? !ada.record.database.session()->script(sql).has_value()
                   : !ada.record.database.file()->script(sql).has_value();
    };
    CHECK(refused("0, 'deposit', 'k', 7"));
    CHECK(refused("-1, 'deposit', 'k', 6"));
    CHECK(refused("1, 'gift', 'k', 8"));
    CHECK(refused("1, 'deposit', 'k', -1"));
    CHECK(refused("1, 'deposit', 'k', 9007199254740992"));
    CHECK(refused("1, 'starting', '', 8"));  // the second one
    CHECK_FALSE(refused("1, 'deposit', 'k', 8"));
    CHECK(refused("1, 'deposit', 'k', 9"));
}

TEST_CASE("user balance: once the store is closed, there is no deposit and no list") {
    funds ada(7);
    ada.record.database.stop();
    CHECK(ada.deposit(1, "k").error() == store_errc::dependency_unavailable);
    CHECK(ada.record.entries(ada.user).error() == store_errc::dependency_unavailable);
}
