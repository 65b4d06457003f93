#include <catch2/catch.hpp>

#include <flashsale/order/recovery.hpp>

#include "set_aside/late_event.hpp"

using namespace flashsale;
using namespace flashsale::order;

namespace {

events::order_accepted of(std::uint32_t shard, std::uint64_t epoch) {
    uuid_generator make;
    events::order_accepted out;
    out.id = make.make(shard);
    out.shard = shard;
    out.user_id = 7;
    out.product_id = 3;
    out.quantity = 2;
    out.idempotency_key = "key";
    out.created_at = out.id.time();
    out.epoch = epoch;
    out.seq = 1;
    return out;
}

}  // namespace

TEST_CASE("late event: older than its shard's fence, and of that shard") {
    fences raised;
    CHECK_FALSE(raised.is_late(of(0, 1)));
    raised.raise(0, 3);
    CHECK(raised.is_late(of(0, 1)));
    CHECK(raised.is_late(of(0, 2)));
    CHECK_FALSE(raised.is_late(of(0, 3)));
    CHECK_FALSE(raised.is_late(of(0, 4)));
    CHECK_FALSE(raised.is_late(of(1, 1)));
    raised.raise(0, 2);
    CHECK(raised.is_late(of(0, 2)));
}

TEST_CASE("late event: what each answer of the gate means") {
    const uuid id = of(0, 1).id, other = of(0, 1).id;
    CHECK(outcome_of(id, stock::grant{id, 5, false, false, "event", {}}) ==
          late_outcome::on_its_way);
    CHECK(outcome_of(id, stock::grant{id, 5, true, false, "event", {}}) ==
          late_outcome::on_its_way);
    CHECK(outcome_of(id, stock::grant{id, 5, true, true, {}, {}}) == late_outcome::recorded);
    CHECK(outcome_of(id, stock::grant{other, 5, true, false, "event", {}}) == late_outcome::twin);
    CHECK(outcome_of(id, stock::grant{other, 5, true, true, {}, {}}) == late_outcome::twin);
    using enum stock::errc;
    for (const auto refusal : {product_not_found, sale_not_open, sale_over, purchase_limit,
                               out_of_stock, idempotency_key_reused, too_many_units}) {
        CHECK(outcome_of(id, std::unexpected(refusal)) == late_outcome::refused);
    }
    for (const auto fault :
         {high_traffic, overloaded, rebuilding, dependency_unavailable, outcome_unknown}) {
        CHECK(outcome_of(id, std::unexpected(fault)) == late_outcome::not_yet);
    }
}

TEST_CASE("late event: is asked for as it was, under its own id") {
    const events::order_accepted order = of(4, 1);
    stock::allocation units = allocation_of(order);
    const auto again = reservation_of(units);
    CHECK(again.what == stock::operation::sale);
    CHECK(again.id == order.id);
    CHECK(again.product_id == 3);
    CHECK(again.user_id == 7);
    CHECK(again.quantity == 2);
    CHECK(again.idempotency_key == "key");

    units.what = stock::operation::reduction;
    CHECK(reservation_of(units).what == stock::operation::reduction);
}
