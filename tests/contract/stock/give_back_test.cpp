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

/// The version before took the units by a reduction, and gave them by a restock that names no
/// event.
void write_as_before(stock_record& record, database_kind kind, const movement& taken) {
    const bool file = kind == database_kind::sqlite;
    std::string id = taken.id.to_string();
    if (file) std::erase(id, '-');
    const std::string units = std::to_string(-taken.delta), now = file ? "1" : "now()";
    const std::string product = std::to_string(taken.product_id);
    record.database.sql(
        "INSERT INTO movements (id, product_id, delta, kind, epoch, seq, created_at) VALUES "
        "(" +
        (file ? "x'" + id + "'" : "'" + id + "'") + ", " + product + ", -" + units +
        ", 'reduction', 1, " + std::to_string(taken.seq) + ", " + now +
        ");"
        "INSERT INTO movements (id, product_id, delta, kind, created_at) VALUES (" +
        (file ? "randomblob(16)" : "gen_random_uuid()") + ", " + product + ", " + units +
        ", 'restock', " + now +
        ");"
        "UPDATE products SET supplied = supplied + " +
        units);
}

}  // namespace

TEST_CASE("give back: taken and given in one step, once, and the stock stays what it is") {
    stock_record record(each_database());
    const auto product = record.make_product(10);
    const movement parked = record.sold(product, 3);
    CHECK(must_give_back(record, parked) == given_back::now);
    for (int round = 0; round < 2; ++round) {
        const recorded_product now = product_of(record, product);
        CHECK(now.supplied == 13);
        CHECK(now.stock == 10);
        CHECK(now.moved == 10);
        CHECK(now.moved_up == 13);
        CHECK(now.sold == 3);
        CHECK(now.dropped == 3);
        CHECK(now.returned == 0);
        CHECK(now.reduced == 0);
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
    // A reduction that a client asked for under that key afterwards is another one.
    movement asked = record.sold(product, 2);
    asked.what = operation::reduction;
    asked.idempotency_key = "broken-3";
    CHECK(record.ledger->record(std::span(&asked, 1))->empty());
    auto reductions = record.reader->reductions(0, 1, {}, 10);
    REQUIRE(reductions.has_value());
    REQUIRE(reductions->rows.size() == 3);
    std::erase_if(reductions->rows,
                  [&](const allocation& one) { return one.id() == asked.taken(); });
    for (const allocation& one : reductions->rows) {
        CHECK(one.idempotency_key.empty());
        CHECK(one.back == came_back::dropped);
        CHECK(one.epoch == 1);
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
    CHECK(now.supplied == 10);
    CHECK(now.stock == 7);
    CHECK(now.reduced == 0);
}

TEST_CASE("give back: an order that was given back is read as no order's, by rebuilds and audits") {
    stock_record record(each_database());
    const auto product = record.make_product(10);
    const movement dropped = record.sold(product, 3), sale = record.sold(product, 2);
    CHECK(must_give_back(record, dropped) == given_back::now);
    REQUIRE(record.ledger->record(std::span(&sale, 1))->empty());
    const auto sales = record.reader->sales(0, 1, {}, 10);
    const auto others = record.reader->reductions(0, 1, {}, 10);
    REQUIRE(sales.has_value());
    REQUIRE(sales->rows.size() == 1);
    CHECK(sales->rows[0].id() == sale.taken());
    CHECK(sales->rows[0].back == came_back::no);
    REQUIRE(others.has_value());
    REQUIRE(others->rows.size() == 1);
    CHECK(others->rows[0].id() == dropped.taken());
    CHECK(others->rows[0].what == operation::sale);
    CHECK(others->rows[0].quantity == 3);
    CHECK(others->rows[0].back == came_back::dropped);
    CHECK(record.reader->moved(std::vector{dropped.taken()})->size() == 1);
    std::int64_t taken = 0, came_back = 0;
    REQUIRE(record.reader->for_each_allocation([&](const allocation& one) {
        taken += one.quantity;
        if (one.back == stock::came_back::dropped) came_back += one.quantity;
    }));
    CHECK(taken == 5);
    CHECK(came_back == 3);
}

TEST_CASE(
    "give back: what the version before has given back stays so, beside what is given back now") {
    const auto kind = each_database();
    stock_record record(kind);
    const auto product = record.make_product(10);
    const movement before = record.sold(product, 3), now = record.sold(product, 2);
    write_as_before(record, kind, before);
    CHECK(must_give_back(record, before) == given_back::before);
    CHECK(must_give_back(record, now) == given_back::now);
    const recorded_product sums = product_of(record, product);
    CHECK(sums.supplied == 15);
    CHECK(sums.moved_up == 15);
    CHECK(sums.stock == 10);
    CHECK(sums.moved == 10);
    CHECK(sums.sold == 2);
    CHECK(sums.dropped == 2);
    CHECK(sums.reduced == 3);
    // What comes late is refused in either case, and a rebuild has the units of both.
    movement reduction = before;
    reduction.what = operation::reduction;
    reduction.idempotency_key = "broken";
    for (const movement& late : {before, reduction, now}) {
        const auto refused = record.ledger->record(std::span(&late, 1));
        REQUIRE(refused.has_value());
        REQUIRE(refused->size() == 1);
        CHECK(refused->front().given_back);
    }
    CHECK(record.stock_of(product) == 10);
    const auto others = record.reader->reductions(0, 1, {}, 10);
    REQUIRE(others.has_value());
    CHECK(others->rows.size() == 2);
    CHECK(record.reader->sales(0, 1, {}, 10)->rows.empty());
}
