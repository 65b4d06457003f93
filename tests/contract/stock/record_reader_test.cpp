// The ledger as a gate is rebuilt from it, and as the audit reads it, on each database.

#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "stock_record.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

TEST_CASE(
    "record reader: supplied and stock of each product of the shard, and what was taken of it") {
    stock_record record(each_database());
    std::vector<std::int64_t> products;
    for (int i = 0; i < 10; ++i)
        products.push_back(record.make_product(100 + i, i % 2 ? 3 : 7));
    uuid_generator make;
    std::vector<movement> taken;
    for (int i = 0; i < 40; ++i) {
        movement one;
        one.id = make.make();
        one.product_id = products[static_cast<std::size_t>(i % 10)];
        one.delta = -2;
        one.what = i % 4 == 0 ? operation::reduction : operation::sale;
        one.epoch = 3;
        one.seq = static_cast<std::uint64_t>(i + 1);
        one.idempotency_key = "key-" + std::to_string(i);
        one.created_at = wall_clock_now();
        taken.push_back(one);
    }
    REQUIRE(record.ledger->record(taken).has_value());

    const auto& reader = record.reader;
    for (const std::size_t rows_max : {100uz, 5uz, 1uz}) {
        for (std::uint32_t shard = 0; shard < 3; ++shard) {
            std::set<std::int64_t> seen;
            std::optional<std::int64_t> after = 0;
            while (after) {
                const auto page = reader->products(shard, 3, *after, rows_max);
                REQUIRE(page.has_value());
                for (const auto& one : page->rows) {
                    CHECK(shard_of(one.units.id, 3) == shard);
                    CHECK(one.units.price == 1'999);
                    CHECK(one.stock == one.units.supplied - 8);
                    CHECK(one.units.per_user_limit == (one.units.supplied % 2 ? 3 : 7));
                    CHECK(seen.insert(one.units.id).second);
                }
                after = page->next;
            }
            for (const auto id : products)
                CHECK(seen.contains(id) == (shard_of(id, 3) == shard));

            const auto ids_of = [&](auto read) {
                std::set<uuid> ids;
                std::optional<allocation_id> from = allocation_id{};
                while (from) {
                    const auto page = read(*from);
                    REQUIRE(page.has_value());
                    for (const allocation& one : page->rows) {
                        CHECK(ids.insert(one.order_id).second);
                        CHECK(one.quantity == 2);
                    }
                    from = page->next;
                }
                return ids;
            };
            const auto sales =
                ids_of([&](allocation_id from) { return reader->sales(shard, 3, from, rows_max); });
            const auto reductions = ids_of(
                [&](allocation_id from) { return reader->reductions(shard, 3, from, rows_max); });
            for (const movement& one : taken) {
                const bool here = shard_of(one.product_id, 3) == shard;
                CHECK(sales.contains(one.id) == (here && one.what == operation::sale));
                CHECK(reductions.contains(one.id) == (here && one.what == operation::reduction));
            }
        }
    }
    const auto page = reader->reductions(0, 1, {}, 100);
    REQUIRE(page.has_value());
    for (const allocation& one : page->rows) {
        CHECK(one.what == operation::reduction);
        CHECK(one.idempotency_key.starts_with("key-"));
    }

    const std::vector<allocation_id> asked{taken[3].taken(), {make.make()}, taken[8].taken()};
    const auto moved = reader->moved(asked);
    REQUIRE(moved.has_value());
    CHECK(std::set<allocation_id>(moved->begin(), moved->end()) == std::set{asked[0], asked[2]});
}

TEST_CASE("record reader: the audit's sums and movements") {
    stock_record record(each_database());
    const auto a = record.make_product(100, 3), b = record.make_product(50),
               c = record.make_product(0);
    REQUIRE(record.database.wait(record.store->restock(b, 7, "r", uuid_generator().make())));
    std::vector<movement> taken{record.sold(a, 4), record.sold(b, 5), record.sold(a, 6)};
    taken[1].what = operation::reduction;
    taken[1].idempotency_key = "k";
    REQUIRE(record.ledger->record(taken).has_value());

    std::vector<recorded_product> products;
    REQUIRE(record.reader->for_each_product([&](auto one) { products.push_back(one); }));
    REQUIRE(products.size() == 3);
    CHECK(products[0].id == a);
    CHECK(products[0].supplied == 100);
    CHECK(products[0].stock == 90);
    CHECK(products[0].per_user_limit == 3);
    CHECK(products[0].moved == 90);
    CHECK(products[0].moved_up == 100);
    CHECK(products[0].sold == 10);
    CHECK(products[0].reduced == 0);
    CHECK(products[1].supplied == 57);
    CHECK(products[1].moved == 52);
    CHECK(products[1].moved_up == 57);
    CHECK(products[1].sold == 0);
    CHECK(products[1].reduced == 5);
    CHECK(products[2].id == c);
    CHECK(products[2].moved == 0);

    std::map<uuid, allocation> takings;
    REQUIRE(record.reader->for_each_allocation(
        [&](allocation one) { takings.emplace(one.order_id, std::move(one)); }));
    REQUIRE(takings.size() == 3);
    for (const movement& one : taken) {
        CHECK(takings.at(one.id).product_id == one.product_id);
        CHECK(takings.at(one.id).quantity == -one.delta);
        CHECK(takings.at(one.id).what == one.what);
        CHECK(takings.at(one.id).seq == one.seq);
        CHECK(takings.at(one.id).epoch == one.epoch);
    }
}
