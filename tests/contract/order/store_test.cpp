// What every store of orders does, on each database.

#include <catch2/catch.hpp>

#include <future>

#include "eventually.hpp"
#include "order_record.hpp"

using namespace flashsale;
using namespace flashsale::test;

TEST_CASE("order store: an order is found as it was recorded") {
    order_record record(each_database());
    const events::order_accepted one = record.accepted(7);
    events::order_accepted dollars = record.accepted(7);
    dollars.id = record.make.make(0, one.id.time() + std::chrono::seconds{1});  // the newer one
    dollars.currency = *currency_code::parse("USD");
    record.must_record(std::vector{one, dollars});
    CHECK(record.database.wait(record.store->find(dollars.id))->value().currency ==
          dollars.currency);
    const auto both = record.database.wait(record.store->list(7, {}, 10));
    REQUIRE(both.has_value());
    REQUIRE(both->size() == 2);
    CHECK(both->front().currency == dollars.currency);
    CHECK(both->back().currency.is_none());
    const auto found = record.database.wait(record.store->find(one.id));
    REQUIRE(found.has_value());
    REQUIRE(found->has_value());
    CHECK((*found)->id == one.id);
    CHECK((*found)->user_id == 7);
    CHECK((*found)->product_id == one.product_id);
    CHECK((*found)->quantity == 1);
    CHECK((*found)->unit_price == 999);
    CHECK((*found)->currency.is_none());
    CHECK((*found)->created_at == one.created_at);
    const auto none = record.database.wait(record.store->find(record.make.make()));
    REQUIRE(none.has_value());
    CHECK_FALSE(none->has_value());
}

TEST_CASE("order store: a parked event is found while it holds units, and is no order") {
    order_record record(each_database());
    const events::order_accepted one = record.accepted(7), other = record.accepted(8);
    const std::vector<order::parking> parked{{one.id, events::text_of(one), "reason"},
                                             {other.id, events::text_of(other), "reason"}};
    REQUIRE(record.recording->park(parked).has_value());
    const auto found = [&](const uuid& id) {
        return record.database.wait(record.store->find_parked(id)).value();
    };
    CHECK(found(one.id) == events::text_of(one));
    CHECK_FALSE(record.database.wait(record.store->find(one.id)).value());
    CHECK_FALSE(found(record.make.make()));
    REQUIRE(record.set_aside->drop(one.id).has_value());
    CHECK_FALSE(found(one.id));
    record.database.sql("UPDATE parked SET holds_units = (1 = 0)");  // a later gate refused it
    CHECK_FALSE(found(other.id));
}

TEST_CASE("order store: a user's orders come in pages, the newest first, and nobody else's") {
    order_record record(each_database());
    std::vector<events::order_accepted> mine, all;
    auto made_at = wall_clock_now();
    for (int i = 0; i < 10; ++i) {
        mine.push_back(record.accepted(7));
        // Ids are ordered by the millisecond that they were made in.
        mine.back().id = record.make.make(0, made_at += std::chrono::milliseconds{1});
        all.push_back(mine.back());
        all.push_back(record.accepted(8));
    }
    record.must_record(all);
    std::vector<uuid> seen;
    std::optional<uuid> before;
    while (true) {
        const auto page = record.database.wait(record.store->list(7, before, 4));
        REQUIRE(page.has_value());
        if (page->empty()) break;
        CHECK(page->size() <= 4);
        for (const order::order& one : *page)
            seen.push_back(one.id);
        before = seen.back();
    }
    REQUIRE(seen.size() == mine.size());
    for (std::size_t i = 0; i < mine.size(); ++i)
        CHECK(seen[i] == mine[mine.size() - 1 - i].id);
}

TEST_CASE("order store: a user's orders come by product and key, in pages, and nobody else's") {
    order_record record(each_database());
    std::vector<std::pair<std::int64_t, std::string>> mine;
    std::vector<events::order_accepted> all;
    for (const std::int64_t product : {5, 3, 4}) {
        for (const std::string key : {"b", "a", "c", "a-1", "\x7e", "!"}) {
            mine.emplace_back(product, key);
            all.push_back(record.accepted(7, product, key));
            all.push_back(record.accepted(8, product, key));
        }
    }
    record.must_record(all);
    std::vector<std::pair<std::int64_t, std::string>> seen;
    order::user_order_place after;
    while (true) {
        const auto page = record.database.wait(record.store->list_by_key(7, after, 4));
        REQUIRE(page.has_value());
        if (page->empty()) break;
        CHECK(page->size() <= 4);
        for (const order::user_order& one : *page) {
            CHECK(one.what.user_id == 7);
            CHECK(one.what.product_id == one.place.product_id);
            CHECK((seen.empty() || seen.back().first <= one.place.product_id));
            seen.emplace_back(one.place.product_id, one.place.idempotency_key);
        }
        after = page->back().place;
    }
    // Which of two keys is the smaller one, is the database's affair.
    CHECK(std::ranges::is_permutation(seen, mine));
}

TEST_CASE("order store: a page of very many orders of a user is read from an index") {
    order_record record(database_kind::postgres);
    postgres::session looks(record.database.server());
    const auto made = looks.execute(
        "INSERT INTO orders (id, user_id, product_id, quantity, unit_price, order_status,"
        " idempotency_key, epoch, seq, created_at)"
        " SELECT lpad(i::text, 32, '0')::uuid, i % 2, 3, 1, 999, 'SUCCESS', i::text, 1, i, now()"
        " FROM generate_series(1, 20000) i");
    REQUIRE(made.has_value());
    REQUIRE(looks.execute("ANALYZE orders").has_value());
    // As the statement of the store has it.
    const auto plan = looks.execute(
        "EXPLAIN SELECT id, idempotency_key FROM orders WHERE user_id = 1"
        " AND (product_id, idempotency_key) > (3, '5') ORDER BY product_id, idempotency_key"
        " LIMIT 1000");
    REQUIRE(plan.has_value());
    std::string text;
    for (std::size_t row = 0; row < plan->size(); ++row)
        text.append(plan->text(row, 0)).push_back('\n');
    INFO(text);
    CHECK(text.find("Index Scan using orders_key_unique") != std::string::npos);
    CHECK(text.find("Sort") == std::string::npos);
}

TEST_CASE("order store: a product's orders come as they were recorded, in pages, nobody else's") {
    order_record record(each_database());
    std::vector<uuid> mine;
    std::vector<events::order_accepted> known;
    for (int batch = 0; batch < 4; ++batch) {
        std::vector<events::order_accepted> all = known;  // delivered again
        for (int i = 0; i < 3; ++i) {
            all.push_back(record.accepted(i + 1, 3));
            // Older ids come later: the order is that of recording.
            all.back().id =
                record.make.make(0, wall_clock_now() - std::chrono::hours{batch * 3 + i});
            mine.push_back(all.back().id);
            all.push_back(record.accepted(i + 1, 4));
        }
        known = {all.begin() + std::ssize(known), all.end()};
        record.must_record(all);
    }
    std::vector<uuid> seen;
    std::int64_t after = 0;
    while (true) {
        const auto page = record.database.wait(record.store->list_of_product(3, after, 5));
        REQUIRE(page.has_value());
        CHECK(page->size() <= 5);
        for (const order::recorded_order_view& one : *page) {
            CHECK(one.position > after);
            CHECK(one.what.product_id == 3);
            after = one.position;
            seen.push_back(one.what.id);
        }
        if (page->empty()) break;
    }
    CHECK(seen == mine);
}

TEST_CASE("order store: nothing is recorded before what was seen, however many record") {
    order_record record(database_kind::postgres);
    postgres::session slow(record.database.server()), looks(record.database.server());
    using attempt = std::expected<void, postgres::error>;
    const events::order_accepted first = record.accepted(1), second = record.accepted(2);
    const auto seen = [&] {
        const auto page = record.database.wait(record.store->list_of_product(3, 0, 10));
        std::vector<uuid> ids;
        for (const auto& one : page.value())
            ids.push_back(one.what.id);
        return ids;
    };
    std::future<order::recording_report> recorded;
    const auto done = slow.transaction([&](postgres::session& in) -> attempt {
        // As another recorder does, and then falls asleep.
        auto numbered = in.execute(
            "WITH number AS (UPDATE recorded SET last = last + 1 RETURNING last) "
            "INSERT INTO orders (id, user_id, product_id, quantity, unit_price, order_status,"
            " idempotency_key, epoch, seq, created_at, recorded) SELECT '" +
            first.id.to_string() +
            "', 1, 3, 1, 999, 'SUCCESS', 'key', 1, 1, now(), last FROM number");
        if (!numbered) return std::unexpected(numbered.error());
        recorded = std::async(std::launch::async,
                              [&] { return record.must_record(std::span(&second, 1)); });
        CHECK(eventually(std::chrono::seconds{60}, [&] {
            const auto waits = looks.execute(
                "SELECT FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'");
            return waits && waits->size() == 1;
        }));
        CHECK(seen().empty());
        return {};
    });
    REQUIRE(done.has_value());
    CHECK(recorded.get().fresh == 1);
    CHECK(seen() == std::vector{first.id, second.id});
}

TEST_CASE("order store: once it is closed, everybody is told to come again") {
    order_record record(each_database());
    record.database.stop();
    CHECK(record.database.wait(record.store->find(record.make.make())).error() ==
          order::store_errc::dependency_unavailable);
    CHECK(record.database.wait(record.store->list(7, {}, 4)).error() ==
          order::store_errc::dependency_unavailable);
}
