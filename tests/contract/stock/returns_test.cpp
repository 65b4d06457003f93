// Units of ended orders come back to the ledger once, whatever comes first and whatever is asked
// twice, on each database.

#include <catch2/catch.hpp>

#include <thread>

#include <flashsale/stock/recovery.hpp>
#include <flashsale/stock/returns.hpp>

#include "stock_record.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

struct returning_record : stock_record {
    explicit returning_record(database_kind kind) : stock_record(kind) {
        port = kind == database_kind::postgres ? make_postgres_returns(*database.session())
                                               : make_sqlite_returns(*database.file());
    }

    recorded_returns must_return(const std::vector<ended_line>& lines) {
        auto done = port->record(lines);
        if (!done) throw std::runtime_error(done.error());
        return std::move(*done);
    }
    /// A sale that the ledger has.
    movement recorded_sale(std::int64_t product, std::int64_t quantity) {
        const movement out = sold(product, quantity);
        REQUIRE(ledger->record(std::span(&out, 1))->empty());
        return out;
    }
    recorded_product sums(std::int64_t id) {
        recorded_product found;
        REQUIRE(reader->for_each_product([&](const recorded_product& one) {
            if (one.id == id) found = one;
        }));
        CHECK(found.stock == found.moved);
        CHECK(found.supplied == found.moved_up);
        CHECK(found.returned == found.returned_in_all);
        return found;
    }

    std::unique_ptr<returns> port;
};

}  // namespace

TEST_CASE("returns: units come back once, and the gate is told cumulative numbers") {
    returning_record record(each_database());
    const auto product = record.make_product(10, 5);
    const movement one = record.recorded_sale(product, 3), other = record.recorded_sale(product, 2);
    for (int round = 0; round < 2; ++round) {
        const auto done = record.must_return({{one, 7}});
        CHECK(done.refused.empty());
        REQUIRE(done.units.products.size() == 1);
        CHECK(done.units.products[0].id == product);
        CHECK(done.units.products[0].supplied == 13);
        CHECK(done.units.products[0].price == 1'999);
        CHECK(done.units.products[0].per_user_limit == 5);
        REQUIRE(done.units.buyers.size() == 1);
        CHECK(done.units.buyers[0].user_id == 7);
        CHECK(done.units.buyers[0].returned == 3);
    }
    const auto more = record.must_return({{one, 7}, {other, 7}});
    CHECK(more.units.products[0].supplied == 15);
    CHECK(more.units.buyers[0].returned == 5);
    const recorded_product now = record.sums(product);
    CHECK(now.stock == 10);
    CHECK(now.sold == 5);
    CHECK(now.returned == 5);
    CHECK(now.dropped == 0);
}

TEST_CASE(
    "returns: whichever writes a sale first, the recorder or the return, it is written once") {
    returning_record record(each_database());
    const auto product = record.make_product(10);
    const movement late = record.sold(product, 4);
    CHECK(record.must_return({{late, 7}}).units.products[0].supplied == 14);
    CHECK(record.sums(product).stock == 10);
    // It is known, and not one that a person has dropped: the recorder is refused nothing.
    for (int round = 0; round < 2; ++round)
        CHECK(record.ledger->record(std::span(&late, 1))->empty());
    const recorded_product now = record.sums(product);
    CHECK(now.stock == 10);
    CHECK(now.sold == 4);
    CHECK(now.supplied == 14);
    CHECK(record.must_return({{late, 7}}).units.buyers.empty());  // of a product without a limit
    const auto sales = record.reader->sales(0, 1, {}, 10);
    REQUIRE(sales->rows.size() == 1);
    CHECK(sales->rows[0].back == came_back::returned);
    CHECK(record.reader->reductions(0, 1, {}, 10)->rows.empty());
}

TEST_CASE("returns: what is written off is not for sale again, and no longer its buyer's") {
    returning_record record(each_database());
    const auto product = record.make_product(10, 5);
    const movement broken = record.recorded_sale(product, 3);
    const auto done = record.must_return({{broken, 7, false}});
    CHECK(done.units.products[0].supplied == 10);
    CHECK(done.units.buyers.at(0).returned == 3);
    CHECK(record.must_return({{broken, 7, true}}).units.products[0].supplied == 10);  // it was once
    const recorded_product now = record.sums(product);
    CHECK(now.stock == 7);
    CHECK(now.returned == 0);
    CHECK(record.reader->sales(0, 1, {}, 10)->rows.at(0).back == came_back::written_off);
}

TEST_CASE("returns: what cannot be returned is refused alone") {
    const auto kind = each_database();
    returning_record record(kind);
    const auto product = record.make_product(10);
    const movement good = record.recorded_sale(product, 1), dropped = record.sold(product, 2);
    const auto given = kind == database_kind::postgres
                           ? give_back(*record.database.session(), dropped)
                           : give_back(*record.database.file(), dropped);
    REQUIRE(given == given_back::now);
    movement reduction = record.sold(product, 1);
    reduction.what = operation::reduction;
    reduction.idempotency_key = "by hand";
    REQUIRE(record.ledger->record(std::span(&reduction, 1))->empty());
    const movement stray = record.sold(product + 1, 1);
    const auto done = record.must_return({{stray, 7}, {good, 7}, {dropped, 7}, {reduction, 7}});
    CHECK(done.refused.size() == 3);
    for (const refused_movement& one : done.refused) {
        CHECK(one.of != good.taken());
        CHECK_FALSE(one.reason.empty());
    }
    const recorded_product now = record.sums(product);
    CHECK(now.returned == 1);
    CHECK(now.dropped == 2);
    CHECK(now.stock == 9);
}

TEST_CASE("returns: buyers are read in pages, each once") {
    returning_record record(each_database());
    std::vector<ended_line> lines;
    std::vector<std::pair<std::int64_t, std::int64_t>> expected;
    for (int number = 0; number < 3; ++number) {
        const auto product = record.make_product(20, 5);
        for (std::int64_t user = 1; user <= 4; ++user) {
            lines.push_back({record.recorded_sale(product, 1), user});
            expected.emplace_back(product, user);
        }
    }
    CHECK(record.must_return(lines).units.buyers.size() == 12);
    std::vector<std::pair<std::int64_t, std::int64_t>> seen;
    std::optional<record_reader::buyer> after = record_reader::buyer{};
    while (after) {
        const auto page = record.reader->buyer_returns_of(0, 1, *after, 5);
        REQUIRE(page.has_value());
        for (const buyer_returns& one : page->rows) {
            seen.emplace_back(one.product_id, one.user_id);
            CHECK(one.returned == 1);
        }
        after = page->next;
    }
    CHECK(seen == expected);
    const auto of_one = record.reader->buyer_returns_of(0, 2, {}, 100);
    const auto of_other = record.reader->buyer_returns_of(1, 2, {}, 100);
    CHECK(of_one->rows.size() + of_other->rows.size() == 12);
    for (const buyer_returns& one : of_other->rows)
        CHECK(shard_of(one.product_id, 2) == 1);
}

TEST_CASE("returns: two processes that return the same orders while they are recorded") {
    returning_record record(database_kind::postgres);
    const std::vector<std::int64_t> products{record.make_product(1'000, 1'000),
                                             record.make_product(1'000, 1'000)};
    std::vector<movement> sales;
    std::vector<ended_line> lines;
    for (int i = 0; i < 400; ++i) {
        sales.push_back(record.sold(products[static_cast<std::size_t>(i % 2)], 1));
        lines.push_back({sales.back(), 1 + i % 5});
    }
    const auto in_pieces = [](auto all, auto each) {
        for (std::size_t at = 0; at < all.size(); at += 20) {
            while (!each(std::span(all).subspan(at, 20))) {
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        for (int process = 0; process < 3; ++process) {
            threads.emplace_back([&, process] {
                postgres::session own(record.database.server());
                const auto port = make_postgres_returns(own);
                auto mine = lines;
                if (process == 1) std::ranges::reverse(mine);
                in_pieces(mine, [&](std::span<const ended_line> piece) {
                    return port->record(piece).has_value();
                });
            });
        }
        threads.emplace_back([&] {
            postgres::session own(record.database.server());
            const auto ledger = make_postgres_ledger(own);
            in_pieces(sales, [&](std::span<const movement> piece) {
                return ledger->record(piece).has_value();
            });
        });
    }
    for (const auto product : products) {
        const recorded_product now = record.sums(product);
        CHECK(now.stock == 1'000);
        CHECK(now.sold == 200);
        CHECK(now.returned == 200);
    }
    std::int64_t returned = 0;
    REQUIRE(record.reader->for_each_buyer_returns(
        [&](const buyer_returns& one) { returned += one.returned; }));
    CHECK(returned == 400);
}
