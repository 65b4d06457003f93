// What every ledger does with units that were taken for something that will never be recorded.

#include <catch2/catch.hpp>

#include <flashsale/stock/recovery.hpp>

#include "stock_record.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

given_back must_give_back(stock_record& record, const movement& taken) {
    auto& database = record.database;
    const auto done = database.session() != nullptr ? give_back(*database.session(), taken)
                                                    : give_back(*database.file(), taken);
    if (!done) throw std::runtime_error(done.error());
    return *done;
}

recorded_product product_of(stock_record& record, std::int64_t id) {
    recorded_product found;
    const auto read = record.reader->for_each_product([&](const recorded_product& one) {
        if (one.id == id) found = one;
    });
    if (!read) throw std::runtime_error(read.error());
    return found;
}

}  // namespace

TEST_CASE("give back: taken and given in one step, once, and the stock stays what it is") {
    stock_record record(each_database());
    const auto product = record.make_product(10);
    const movement parked = record.sold(product, 3);
    CHECK(must_give_back(record, parked) == given_back::now);
    for (int round = 0; round < 2; ++round) {
        const recorded_product now = product_of(record, product);
        CHECK(now.given == 13);
        CHECK(now.stock == 10);
        CHECK(now.moved == 10);
        CHECK(now.moved_up == 13);
        CHECK(now.reduced == 3);
        CHECK(now.sold == 0);
        CHECK(must_give_back(record, parked) == given_back::before);
    }
    // The ledger knows the id now: what comes late is no sale any more, alone or among others.
    const auto refused = record.ledger->record(std::span(&parked, 1));
    REQUIRE(refused.has_value());
    REQUIRE(refused->size() == 1);
    CHECK(refused->front().of == parked.taken());
    CHECK(refused->front().given_back);
    CHECK(record.stock_of(product) == 10);
    const std::vector<movement> both{parked, record.sold(product, 1)};
    const auto second = record.ledger->record(both);
    REQUIRE(second.has_value());
    REQUIRE(second->size() == 1);
    CHECK(second->front().given_back);
    CHECK(record.stock_of(product) == 9);
}

TEST_CASE("give back: a reduction that was recorded is kept, and one given back is not recorded") {
    stock_record record(each_database());
    const auto product = record.make_product(10);
    movement first = record.sold(product, 1), second = record.sold(product, 2);
    first.what = second.what = operation::reduction;
    first.idempotency_key = "broken-1";
    second.idempotency_key = "broken-2";
    REQUIRE(record.ledger->record(std::span(&first, 1))->empty());
    REQUIRE(record.ledger->record(std::span(&first, 1))->empty());  // delivered again
    CHECK(must_give_back(record, first) == given_back::sold);
    CHECK(record.stock_of(product) == 9);
    CHECK(must_give_back(record, second) == given_back::now);
    const auto refused = record.ledger->record(std::span(&second, 1));
    REQUIRE(refused.has_value());
    REQUIRE(refused->size() == 1);
    CHECK(refused->front().given_back);
    CHECK(record.stock_of(product) == 9);
}

TEST_CASE("give back: nobody can repeat the reduction, and two of one key are two") {
    stock_record record(each_database());
    const auto product = record.make_product(10);
    movement first = record.sold(product, 1), second = record.sold(product, 1);
    first.what = second.what = operation::reduction;
    first.idempotency_key = second.idempotency_key = "broken-3";
    CHECK(must_give_back(record, first) == given_back::now);
    CHECK(must_give_back(record, second) == given_back::now);
    const auto reductions = record.reader->reductions(0, 1, {}, 10);
    REQUIRE(reductions.has_value());
    REQUIRE(reductions->rows.size() == 2);
    for (const allocation& one : reductions->rows) {
        CHECK(one.idempotency_key.empty());
        CHECK(one.generation == 1);
        CHECK(one.seq != 0);
    }
}

TEST_CASE("give back: what the ledger has sold is kept, and of no product nothing is given") {
    stock_record record(each_database());
    const auto product = record.make_product(10);
    const movement sale = record.sold(product, 3);
    REQUIRE(record.ledger->record(std::span(&sale, 1))->empty());
    CHECK(must_give_back(record, sale) == given_back::sold);
    CHECK(must_give_back(record, record.sold(product + 1, 3)) == given_back::no_product);
    const recorded_product now = product_of(record, product);
    CHECK(now.given == 10);
    CHECK(now.stock == 7);
    CHECK(now.reduced == 0);
}
