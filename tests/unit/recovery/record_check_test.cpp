#include <catch2/catch.hpp>

#include <flashsale/recovery/record_check.hpp>

using namespace flashsale;
using namespace flashsale::recovery;
using phase = stock::shard_state::phase;

namespace {

/// Six granted: three orders recorded, a reduction, one parked, one in the outbox.
struct whole {
    stock::gate_account gate;
    recorded_account record;

    whole() {
        gate.header.epoch = 2;
        gate.header.seq = 6;
        gate.waiting = {6};
        gate.supplied = {{1, 10}, {2, 5}};
        record.in_orders.orders = {1, 2, 4};
        record.in_orders.set_aside = {5};
        record.in_ledger.sales = {1, 2, 4};
        record.in_ledger.reductions = {3};
        record.supplied = {{1, 10}, {2, 5}, {3, 7}};
    }
    std::string fault() const { return behind_its_gate(gate, record).value_or(""); }
};

}  // namespace

TEST_CASE("record check: everything that was granted is somewhere") {
    whole all;
    CHECK(all.fault() == "");

    SECTION("what was recorded or granted since changes nothing") {
        all.record.in_orders.orders.push_back(7);
        all.record.in_ledger.sales.push_back(6);
        all.gate.waiting.push_back(8);
        CHECK(all.fault() == "");
    }
    SECTION("an event that is pruned while it is read is in both") {
        all.gate.waiting.clear();
        all.record.in_orders.orders.push_back(6);
        all.record.in_ledger.sales.push_back(6);
        CHECK(all.fault() == "");
    }
    SECTION("a dropped event is in the ledger as a reduction, and counts once") {
        all.record.in_ledger.reductions.push_back(5);
        CHECK(all.fault() == "");
        all.record.in_orders.orders.pop_back();
        CHECK(all.fault().starts_with("the order database lacks 1 of the 6 "));
    }
    SECTION("the order database is older") {
        all.record.in_orders.orders = {1};
        CHECK(all.fault() ==
              "the order database lacks 2 of the 6 orders and reductions that the "
              "gate has granted");
    }
    SECTION("the stock database is older") {
        all.record.in_ledger.sales = {1};
        CHECK(all.fault() ==
              "the stock database lacks 2 of the 6 orders and reductions that the "
              "gate has granted");
    }
    SECTION("a recorded event that waits still does not make up for one that is lost") {
        all.record.in_orders.orders = {1, 2, 6};
        all.record.in_ledger.sales = {1, 2, 6};
        CHECK(all.fault().find("order database lacks 1 of") != std::string::npos);
        CHECK(all.fault().find("stock database lacks 1 of") != std::string::npos);
    }
    SECTION("what cannot be read may be any of them") {
        all.record.in_orders.orders = {1, 2};
        all.record.in_ledger.sales = {1, 2};
        all.record.in_orders.unreadable = 1;
        CHECK(all.fault() == "");
        all.record.in_orders.orders = {1};
        CHECK_FALSE(all.fault() == "");
        all.gate.unreadable = 1;
        CHECK(all.fault() == "");
    }
    SECTION("a product that the gate knows alone, and units that it alone was given") {
        all.record.supplied.erase(2);
        CHECK(all.fault().find("does not know 1 products") != std::string::npos);
        CHECK(all.fault().find("product 2") != std::string::npos);
        all.record.supplied = {{1, 9}, {2, 6}};
        CHECK(all.fault().find("of 1 products it has given fewer") != std::string::npos);
        CHECK(all.fault().find("product 1") != std::string::npos);
    }
    SECTION("an absurd seq costs no memory") {
        all.gate.header.seq = std::uint64_t{1} << 60;
        CHECK_FALSE(all.fault() == "");
    }
}

TEST_CASE("record check: a gate that the stock database has never heard of") {
    stock::gate_header gate;
    gate.epoch = 3;
    gate.state = "open";
    stock::shard_state known;
    const auto is_older = [&](phase what, std::uint64_t epoch) {
        known.what = what;
        known.epoch = epoch;
        return older_than_its_gate(gate, known);
    };
    CHECK(is_older(phase::open, 2));
    CHECK(is_older(phase::rebuilding, 2));
    CHECK(is_older(phase::never, 0));
    CHECK_FALSE(is_older(phase::open, 3));
    CHECK_FALSE(is_older(phase::open, 4));
    CHECK_FALSE(is_older(phase::rebuilding, 4));
    CHECK(is_older(phase::opening, 3));
    gate.state = "closed";
    CHECK(is_older(phase::opening, 4));
    // Its opener has put it down, and not yet told the database; or died there.
    gate.state = "loading";
    CHECK_FALSE(is_older(phase::opening, 3));
    CHECK_FALSE(is_older(phase::opening, 4));
    CHECK(is_older(phase::opening, 2));
}
