#include <catch2/catch.hpp>
#include <flashsale/events/event.hpp>

#include "redis_codec.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using redis::value;

namespace {

value integer(std::int64_t number) {
    value out;
    out.kind = value::type::integer;
    out.integer = number;
    return out;
}

value text(std::string_view bytes) {
    value out;
    out.kind = value::type::string;
    out.text = bytes;
    return out;
}

value array(std::vector<value> elements) {
    value out;
    out.kind = value::type::array;
    out.elements = std::move(elements);
    return out;
}

reservation sale(std::int64_t user, const uuid& id) {
    reservation out;
    out.product_id = 9'007'199'254'740'993;
    out.user_id = user;
    out.quantity = units_max;
    out.idempotency_key = "a key: with spaces";
    out.id = id;
    out.event = "{\"head\":1";
    return out;
}

}  // namespace

TEST_CASE("redis codec: arguments carry 64-bit numbers as text, and keys as they are") {
    uuid_generator make;
    const uuid id = make.make();
    const shard_keys keys("shop", 3);
    reservation by_hand = sale(0, id);
    by_hand.what = operation::reduction;
    const std::vector<reservation> batch{sale(std::numeric_limits<std::int64_t>::max(), id), by_hand};
    const auto list = reserve_arguments(keys, 7, 1'000, batch);
    const auto arguments = list.views();
    REQUIRE(arguments.size() == 3 + 2 * 6);
    CHECK(keys.header == "{shop:3}:gate");
    CHECK(keys.outbox(7) == "{shop:3}:7:outbox");
    CHECK(arguments[0] == "{shop:3}:");
    CHECK(arguments[1] == "7");
    CHECK(arguments[2] == "1000");
    CHECK(arguments[3] == "9007199254740993");
    CHECK(arguments[4] == "9223372036854775807");
    CHECK(arguments[5] == "9007199254740991");
    CHECK(arguments[6] == "s9223372036854775807:a key: with spaces");
    CHECK(arguments[7] == id.to_string());
    CHECK(arguments[8] == "{\"head\":1");
    CHECK(arguments[12] == "ra key: with spaces");
}

TEST_CASE("redis codec: a script's status is told from everything else") {
    using kind = script_status::kind;
    CHECK(status_of(array({integer(0), integer(4)})).what == kind::open);
    CHECK(status_of(array({integer(1)})).what == kind::closed);
    const auto stale = status_of(array({integer(2), text("18")}));
    CHECK(stale.what == kind::stale);
    CHECK(stale.generation == 18);
    for (const value& wrong : {integer(0), text("0"), array({}), array({text("0")}), value{},
                               array({integer(2)}), array({integer(2), text("x")}), array({integer(9)})}) {
        CHECK(status_of(wrong).what == kind::malformed);
    }
}

TEST_CASE("redis codec: decisions come back in the batch's order") {
    uuid_generator make;
    const uuid own = make.make(), first = make.make();
    const std::vector<reservation> batch(10, sale(1, own));
    const std::string f = first.to_string();
    const auto decisions = decode_decisions(
        array({integer(0), text("g 42 1999"), integer(1), integer(2), integer(3), integer(4),
               integer(5), integer(6), text("r " + f + " 1999"),
               text("p " + f + " 9223372036854775807 {\"whole\": \"with spaces\"}"), text("nonsense")}),
        7, batch);
    REQUIRE(decisions.size() == 10);
    REQUIRE(decisions[0].has_value());
    CHECK(decisions[0]->id == own);
    CHECK(decisions[0]->unit_price == 1999);
    CHECK_FALSE(decisions[0]->repeat);
    CHECK(decisions[0]->event == R"({"head":1,"unit_price":1999,"generation":7,"seq":42})");
    const errc refusals[] = {errc::product_not_found, errc::sale_not_open, errc::purchase_limit,
                             errc::out_of_stock, errc::idempotency_key_reused, errc::overloaded};
    for (std::size_t i = 0; i < std::size(refusals); ++i) {
        REQUIRE_FALSE(decisions[1 + i].has_value());
        CHECK(decisions[1 + i].error() == refusals[i]);
    }
    REQUIRE(decisions[7].has_value());
    CHECK(decisions[7]->id == first);
    CHECK(decisions[7]->recorded);
    REQUIRE(decisions[8].has_value());
    CHECK(decisions[8]->repeat);
    CHECK_FALSE(decisions[8]->recorded);
    CHECK(decisions[8]->unit_price == std::numeric_limits<std::int64_t>::max());
    CHECK(decisions[8]->event == "{\"whole\": \"with spaces\"}");
    CHECK(decisions[9].error() == errc::outcome_unknown);
}

TEST_CASE("redis codec: a reply that does not fit the batch leaves every outcome unknown") {
    uuid_generator make;
    const std::vector<reservation> batch(2, sale(1, make.make()));
    for (const auto& one : decode_decisions(array({integer(0), integer(4)}), 1, batch)) {
        REQUIRE_FALSE(one.has_value());
        CHECK(one.error() == errc::outcome_unknown);
    }
}
