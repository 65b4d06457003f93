// One record, loaded into a gate in memory and into one that is told of it at the end.

#include <catch2/catch.hpp>

#include <flashsale/recovery/record_loader.hpp>
#include <flashsale/stock/memory_loader.hpp>

#include "played_record.hpp"

using namespace flashsale;
using namespace flashsale::test;
using recovery::differing;

namespace {

struct record {
    played_products products;
    played_orders orders;
    std::size_t loaded = 0;  ///< into the gate

    stock::allocation order_of(std::int64_t quantity, std::int64_t product = 1) {
        stock::allocation out;
        out.order_id = ids_.make();
        out.product_id = product;
        out.user_id = 7;
        out.quantity = quantity;
        out.idempotency_key = out.order_id.to_string();
        return out;
    }

    std::expected<recovery::loaded_record, std::string> load(differing where_differing) {
        stock::memory_gate_owner gate({});
        const auto loader =
            stock::make_memory_gate_loader(gate, [this](const stock::allocation&) { ++loaded; });
        return recovery::load_record({products, orders, &products, *loader, 0, 1, 100,
                                      where_differing, [] { return done{}; }});
    }

private:
    uuid_generator ids_;
};

}  // namespace

TEST_CASE("record: orders that the ledger has are loaded, and add up") {
    record of;
    of.orders.sold = {of.order_of(3), of.order_of(2)};
    of.products.in_stock = 5;
    const auto loaded = of.load(differing::refused);
    REQUIRE(loaded.has_value());
    CHECK(loaded->orders == 2);
    CHECK(of.loaded == 2);
}

TEST_CASE("record: an event that is parked and recorded too took its units once") {
    record of;
    of.orders.sold = {of.order_of(3)};
    of.orders.set_aside = of.orders.sold;
    of.products.in_stock = 7;
    REQUIRE(of.load(differing::refused).has_value());
    CHECK(of.loaded == 1);
}

TEST_CASE("record: a parked event keeps its units, whether the ledger has it or not") {
    record of;
    of.orders.set_aside = {of.order_of(4)};
    of.products.moves = GENERATE(true, false);
    of.products.in_stock = of.products.moves ? 6 : 10;
    REQUIRE(of.load(differing::refused).has_value());
    CHECK(of.loaded == 1);
}

TEST_CASE(
    "record: where orders and ledger differ, a start refuses, and the audit takes it as it is") {
    record of;
    of.orders.sold = {of.order_of(3)};
    const auto refused = of.load(differing::refused);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().find("product 1 does not add up") != std::string::npos);
    CHECK(of.products.recorded.empty());
    CHECK(of.load(differing::taken).has_value());
    CHECK(of.products.recorded.empty());
}

TEST_CASE("record: an order of a product that is not there is refused by a start alone") {
    record of;
    of.orders.sold = {of.order_of(3, 2)};
    const auto refused = of.load(differing::refused);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().find("a product that the stock database does not have") !=
          std::string::npos);
    CHECK(of.load(differing::taken).has_value());
    CHECK(of.loaded == 0);
}
