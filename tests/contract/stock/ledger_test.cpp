// What every ledger does, on each database.

#include <catch2/catch.hpp>

#include <flashsale/stock/recovery.hpp>
#include <future>
#include <set>

#include "stock_record.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

TEST_CASE("ledger: movements count once each, however often they come") {
    stock_record record(each_database());
    const auto a = record.make_product(1'000), b = record.make_product(1'000);
    std::vector<movement> batch;
    for (int i = 0; i < 100; ++i)
        batch.push_back(record.sold(i % 2 == 0 ? a : b, 3));
    for (int round = 0; round < 3; ++round) {
        const auto refused = record.ledger->record(batch);
        REQUIRE(refused.has_value());
        CHECK(refused->empty());
        CHECK(record.stock_of(a) == 850);
        CHECK(record.stock_of(b) == 850);
    }
    batch.push_back(record.sold(a, 10));
    batch.push_back(batch.back());
    REQUIRE(record.ledger->record(batch).has_value());
    CHECK(record.stock_of(a) == 840);
    CHECK(record.ledger->record({})->empty());
}

TEST_CASE("ledger: what can never be recorded is named, the rest goes in") {
    stock_record record(each_database());
    const auto product = record.make_product(10);
    std::vector<movement> batch{record.sold(product, 3), record.sold(product + 1, 1),
                                record.sold(product, 100), record.sold(product, 2)};
    const auto refused = record.ledger->record(batch);
    REQUIRE(refused.has_value());
    REQUIRE(refused->size() == 2);
    CHECK((*refused)[0].of == batch[1].taken());
    CHECK((*refused)[1].of == batch[2].taken());
    CHECK((*refused)[1].reason.find("products_stock_not_negative") != std::string::npos);
    CHECK(record.stock_of(product) == 5);
}

TEST_CASE("ledger: a key of the product reduces once, whatever ids come with it") {
    stock_record record(each_database());
    const auto product = record.make_product(10);
    movement reduced = record.sold(product, 2);
    reduced.what = operation::reduction;
    reduced.idempotency_key = "broken-3";
    movement twin = record.sold(product, 2);
    twin.what = operation::reduction;
    twin.idempotency_key = "broken-3";
    // A sale's key is the order's affair: its movement has none.
    movement sale = record.sold(product, 1);
    sale.idempotency_key = "broken-3";
    const std::vector<movement> batch{reduced, twin, sale};
    std::set<uuid> ever_refused;
    for (int round = 0; round < 2; ++round) {
        const auto refused = record.ledger->record(batch);
        REQUIRE(refused.has_value());
        REQUIRE(refused->size() == 1);
        ever_refused.insert(refused->front().of.order_id);
        CHECK(record.stock_of(product) == 7);
    }
    // Which of the two in one batch is the first is the database's affair.
    CHECK(ever_refused.size() == 1);
    CHECK_FALSE(ever_refused.contains(sale.id));
}

TEST_CASE("ledger: a reduction older than its shard's fence is late, and a sale is not") {
    stock_record record(database_kind::postgres);
    const auto product = record.make_product(20);
    const auto reduced = [&](std::uint32_t shard, std::uint64_t epoch, const char* key) {
        movement out = record.sold(product, 1);
        out.what = operation::reduction;
        out.shard = shard;
        out.epoch = epoch;
        out.idempotency_key = key;
        return out;
    };
    const movement known = reduced(0, 1, "known");
    REQUIRE(record.ledger->record(std::span(&known, 1))->empty());
    auto& session = *record.database.session();
    REQUIRE(raise_fence(session, 0, 3).has_value());
    REQUIRE(raise_fence(session, 0, 2).has_value());
    const std::vector<movement> batch{known, reduced(0, 2, "late"), reduced(0, 3, "new"),
                                      reduced(1, 1, "another shard's"), record.sold(product, 1)};
    for (int round = 0; round < 2; ++round) {
        const auto refused = record.ledger->record(batch);
        REQUIRE(refused.has_value());
        REQUIRE(refused->size() == 1);
        CHECK(refused->front().of == batch[1].taken());
        CHECK(refused->front().late);
        CHECK(record.stock_of(product) == 16);
    }
    CHECK(make_postgres_ledger(session, false)->record(std::span(&batch[1], 1))->empty());
    CHECK(record.stock_of(product) == 15);
}

TEST_CASE("ledger: a fence that is being raised is waited for, and seen") {
    stock_record record(database_kind::postgres);
    postgres::session rebuilder(record.database.server());
    using attempt = std::expected<void, postgres::error>;
    const auto product = record.make_product(5);
    std::future<std::vector<refused_movement>> refused;
    for (const char* key : {"prepared", "and again"}) {
        movement reduced = record.sold(product, 1);
        reduced.what = operation::reduction;
        reduced.idempotency_key = key;
        const auto raised = rebuilder.transaction([&](postgres::session& in) -> attempt {
            if (auto locked = in.execute("LOCK TABLE fences IN ACCESS EXCLUSIVE MODE"); !locked)
                return std::unexpected(locked.error());
            refused = std::async(std::launch::async, [&record, reduced] {
                return record.ledger->record(std::span(&reduced, 1)).value();
            });
            CHECK(refused.wait_for(std::chrono::milliseconds{300}) == std::future_status::timeout);
            const auto set = in.execute(
                "INSERT INTO fences VALUES (0, 2) ON CONFLICT (shard) DO UPDATE SET epoch = "
                "2");
            if (!set) return std::unexpected(set.error());
            return {};
        });
        REQUIRE(raised.has_value());
        const auto answer = refused.get();
        REQUIRE(answer.size() == 1);
        CHECK(answer.front().late);
        CHECK(record.stock_of(product) == 5);
        record.database.sql("DELETE FROM fences");
    }
}
