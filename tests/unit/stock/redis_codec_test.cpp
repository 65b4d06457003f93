#include "redis/redis_codec.hpp"

#include <catch2/catch.hpp>

#include "order_in.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using flashsale::stock::test::order_in;
using redis::value;

namespace {

value integer(std::int64_t number) {
    value out;
    out.kind = value::type::integer;
    out.integer = number;
    return out;
}

/// So many neighbours, with a code of lua/reserve.lua.
value refused(std::int64_t count, std::int64_t code) {
    return integer(64 * count + code);
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
    return out;
}

}  // namespace

TEST_CASE("redis codec: arguments carry 64-bit numbers as text, and keys as they are") {
    uuid_generator make;
    const uuid id = make.make();
    const shard_keys keys("shop", 3);
    reservation by_hand = sale(0, id);
    by_hand.what = operation::reduction;
    const std::vector<reservation> batch{sale(std::numeric_limits<std::int64_t>::max(), id),
                                         by_hand};
    const auto list = reserve_arguments(keys, 7, 1'000, batch, nullptr);
    const auto arguments = list.views();
    REQUIRE(arguments.size() == 3 + 2 * 6);
    CHECK(keys.header == "{shop:3}:gate");
    CHECK(keys.outbox(7) == "{shop:3}:7:outbox");
    CHECK(arguments[0] == "{shop:3}:");
    CHECK(arguments[1] == "7");
    CHECK(arguments[2] == "1000");
    CHECK(arguments[3] == "9007199254740993");
    CHECK(arguments[4] == "9007199254740991");
    CHECK(arguments[5] == "1");
    CHECK(arguments[6] == "sale");
    CHECK(arguments[7] == "s9223372036854775807:a key: with spaces");
    CHECK(arguments[8] == id.to_string());
    CHECK(arguments[12] == "reduction");
    CHECK(arguments[13] == "ra key: with spaces");
    CHECK(arguments[14] == id.to_string());
}

TEST_CASE("redis codec: neighbours that want the same share a run, in the batch's order") {
    uuid_generator make;
    const auto of = [&](std::int64_t product, std::int64_t quantity, std::int64_t user) {
        reservation out = sale(user, make.make());
        out.product_id = product;
        out.quantity = quantity;
        return out;
    };
    const std::vector<reservation> batch{of(1, 1, 11), of(1, 1, 12), of(1, 2, 13), of(2, 1, 14),
                                         of(1, 1, 15)};
    sold_out_hints hints;
    hints.refused(1, 2);
    const auto list = reserve_arguments(shard_keys("shop", 0), 7, 9, batch, &hints);
    std::vector<std::string> heads;
    const auto arguments = list.views();
    for (std::size_t at = 3; at < arguments.size();) {
        const auto count = std::stoul(std::string(arguments[at + 2]));
        std::string head;
        for (std::size_t i = 0; i < 4; ++i)
            head += std::string(arguments[at + i]) + ' ';
        for (std::size_t i = 0; i < count; ++i)
            head += arguments[at + 4 + i].substr(0, 4);
        heads.push_back(head);
        at += 4 + count * (arguments[at + 3] == "turned away" ? 1 : 2);
    }
    CHECK(heads == std::vector<std::string>{"1 1 2 sale s11:s12:", "1 2 1 turned away s13:",
                                            "2 1 1 sale s14:", "1 1 1 sale s15:"});
}

TEST_CASE("redis codec: a script's status is told from everything else") {
    using kind = script_status::kind;
    CHECK(status_of(array({integer(0), integer(4)})).what == kind::open);
    CHECK(status_of(array({integer(1)})).what == kind::closed);
    const auto stale = status_of(array({integer(2), text("18")}));
    CHECK(stale.what == kind::stale);
    CHECK(stale.epoch == 18);
    for (const value& wrong :
         {integer(0), text("0"), array({}), array({text("0")}), value{}, array({integer(2)}),
          array({integer(2), text("x")}), array({integer(9)})}) {
        CHECK(status_of(wrong).what == kind::malformed);
    }
}

TEST_CASE("redis codec: a product's own currency goes to the gate and comes back with the price") {
    const currency_code dollars = *currency_code::parse("USD");
    argument_list list;
    add_product(list, {1, 10, 1'999, {}, {}, {}, dollars});
    add_product(list, {2, 10, 0, {}, {}, {}});
    CHECK(list.views()[3] == "1999USD");
    CHECK(list.views()[10] == "0");

    uuid_generator make;
    std::vector<reservation> batch;
    for (std::int64_t user = 1; user <= 4; ++user)
        batch.push_back(sale(user, make.make()));
    const std::string first = make.make().to_string();
    const value token = text("t " + make.make(3).to_string());
    const auto decisions =
        decode_decisions(array({integer(0), token, text("g 1 42 1999USD"), text("g 1 43 1999"),
                                text("r " + first + " 5USD"),
                                text("p " + first + " 6USD 8 3 1 6USD 7 50 s7:a key")}),
                         7, batch)
            .decisions;
    const char* currencies[] = {"USD", "", "USD", "USD"};
    for (std::size_t i = 0; i < 4; ++i) {
        REQUIRE(decisions[i].has_value());
        CHECK(decisions[i]->currency.text() == currencies[i]);
        if (decisions[i]->recorded) continue;
        const auto event = order_in(decisions[i]->event);
        CHECK(event.currency.text() == currencies[i]);
        CHECK(event.unit_price == decisions[i]->unit_price);
    }
    for (const char* wrong : {"g 4 42 1999usd", "g 4 42 USD", "g 4 42 -1"})
        CHECK(decode_decisions(array({integer(0), token, text(wrong)}), 7, batch)
                  .decisions.front()
                  .error() == errc::outcome_unknown);
}

TEST_CASE("redis codec: decisions come back in the batch's order") {
    uuid_generator make;
    const uuid first = make.make();
    std::vector<reservation> batch;
    for (std::int64_t user = 1; user <= 14; ++user)
        batch.push_back(sale(user, make.make()));
    const std::string f = first.to_string();
    const uuid shown = make.make(3);
    const value token = text("t " + shown.to_string());
    const auto [decisions, ask_again, told] = decode_decisions(
        array({integer(0), token, text("g 2 42 1999"), refused(1, 1), refused(1, 2), refused(2, 3),
               integer(3), refused(1, 4), integer(0), refused(1, 5), refused(1, 6),
               text("w 2 1795417523123456 1000001"), text("r " + f + " 1999"),
               text("p " + f + " 9223372036854775807 8 3 1 9223372036854775807 7 34 s7:a key"),
               refused(1, 7)}),
        7, batch);
    REQUIRE(decisions.size() == 14);
    for (std::size_t i = 0; i < 2; ++i) {
        REQUIRE(decisions[i].has_value());
        CHECK(decisions[i]->id == batch[i].id);
        CHECK(decisions[i]->unit_price == 1999);
        CHECK_FALSE(decisions[i]->repeat);
        CHECK(decisions[i]->token == shown);
        const auto event = order_in(decisions[i]->event);
        CHECK(event.id == batch[i].id);
        CHECK(event.user_id == batch[i].user_id);
        CHECK(event.unit_price == 1999);
        CHECK(event.epoch == 7);
        CHECK(event.seq == 42 + i);
    }
    const errc refusals[] = {
        errc::product_not_found, errc::sale_over,     errc::purchase_limit,
        errc::purchase_limit,    errc::out_of_stock,  errc::idempotency_key_reused,
        errc::overloaded,        errc::sale_not_open, errc::sale_not_open};
    const std::int64_t left[] = {0, 0, 3, 3, 0, 0, 0, 0, 0};
    for (std::size_t i = 0; i < std::size(refusals); ++i) {
        REQUIRE_FALSE(decisions[2 + i].has_value());
        CHECK(decisions[2 + i].error() == refusals[i]);
        CHECK(decisions[2 + i].error().left == left[i]);
    }
    CHECK(decisions[10].error().opens_at ==
          timestamp{std::chrono::microseconds{1'795'417'523'123'456}});
    CHECK(decisions[10].error().opens_in_s == 2);
    REQUIRE(decisions[11].has_value());
    CHECK(decisions[11]->id == first);
    CHECK(decisions[11]->recorded);
    REQUIRE(decisions[12].has_value());
    CHECK(decisions[12]->repeat);
    CHECK(decisions[12]->token == shown);
    CHECK_FALSE(decisions[12]->recorded);
    CHECK(decisions[12]->unit_price == std::numeric_limits<std::int64_t>::max());
    const auto repeated = order_in(decisions[12]->event);
    CHECK(repeated.id == first);
    CHECK(repeated.idempotency_key == "a key");
    CHECK(repeated.seq == 42);
    CHECK(ask_again == std::vector<std::size_t>{13});
    CHECK(told == shown);
}

TEST_CASE("redis codec: an id that the gate dates travels without its time, and gets the gate's") {
    uuid_generator make;
    std::vector<reservation> batch;
    for (std::int64_t user = 1; user <= 2; ++user)
        batch.push_back(sale(user, make.make(5)));
    batch[1].dated_by_gate = true;
    const auto arguments = reserve_arguments(shard_keys("flashsale", 5), 7, 1'000, batch, nullptr);
    const auto views = arguments.views();
    REQUIRE(views.size() >= 2);
    CHECK(views[views.size() - 2] == batch[0].id.to_string());
    CHECK(views.back() == batch[1].id.to_string().substr(13));

    const value token = text("t " + make.make().to_string());
    const auto made = decode_decisions(
        array({integer(0), token, text("d 1795417523123"), text("g 2 42 1999")}), 7, batch);
    REQUIRE(made.decisions[0].has_value());
    CHECK(made.decisions[0]->id == batch[0].id);
    REQUIRE(made.decisions[1].has_value());
    const uuid dated = made.decisions[1]->id;
    CHECK(dated.time() == timestamp{std::chrono::milliseconds{1'795'417'523'123}});
    CHECK(dated.shard() == 5);
    CHECK(dated.to_string().substr(13) == batch[1].id.to_string().substr(13));
    const auto event = order_in(made.decisions[1]->event);
    CHECK(event.id == dated);
    CHECK(event.created_at == dated.time());

    const auto undated =
        decode_decisions(array({integer(0), token, text("g 2 42 1999")}), 7, batch);
    CHECK(undated.decisions[0].error() == errc::outcome_unknown);
}

TEST_CASE("redis codec: a reply that does not fit the batch leaves every outcome unknown") {
    uuid_generator make;
    const std::vector<reservation> batch(2, sale(1, make.make()));
    const value token = text("t " + make.make().to_string());
    const std::string id = make.make().to_string();
    for (const auto& wrong :
         {array({integer(0), refused(1, 4)}), array({integer(0), refused(3, 4)}),
          array({integer(0), refused(2, 4)}), array({integer(0), refused(2, 4), integer(-1)}),
          array({integer(0), refused(2, 4), text("1")}), array({integer(0), text("w 3 1 1")}),
          array({integer(0), text("w 2 1")}),
          array({integer(0), token, text("d"), text("g 2 1 1")}),
          array({integer(0), refused(-2, 4), refused(2, 4)}),
          array({integer(0), refused(1, 4), text("nonsense")}),
          array({integer(0), token, text("g 3 1 1")}), array({integer(0), token, text("g 2 1")}),
          array({integer(0), refused(2, 4), token, text("g 1 1 1")}),
          array({integer(0), text("g 2 1 1")}),
          array({integer(0), text("t no token"), text("g 2 1 1")}),
          array({integer(0), refused(1, 4), text("p " + id + " 1 1 3 1 1 7 50 s7:key")}),
          array({integer(0), refused(2, 7), refused(1, 7)})}) {
        const auto decoded = decode_decisions(wrong, 1, batch);
        REQUIRE(decoded.decisions.size() == 2);
        CHECK(decoded.ask_again.empty());
        for (const auto& one : decoded.decisions) {
            REQUIRE_FALSE(one.has_value());
            CHECK(one.error() == errc::outcome_unknown);
        }
    }
}

TEST_CASE("redis codec: a code that no refusal has leaves every outcome unknown") {
    uuid_generator make;
    const std::vector<reservation> batch(256, sale(1, make.make()));
    const auto first_of = [&](const value& element) {
        const auto decoded = decode_decisions(array({integer(0), element}), 1, batch);
        REQUIRE(decoded.decisions.size() == batch.size());
        REQUIRE_FALSE(decoded.decisions.front().has_value());
        return decoded.decisions.front().error().code;
    };
    CHECK(first_of(refused(256, 1)) == errc::product_not_found);
    CHECK(first_of(refused(256, 6)) == errc::overloaded);
    CHECK(first_of(refused(257, 1)) == errc::outcome_unknown);
    CHECK(first_of(refused(255, 1)) == errc::outcome_unknown);
    for (const std::int64_t code : {0, 10, 31, 62, 63}) {
        INFO(code);
        const auto decoded =
            decode_decisions(array({integer(0), refused(1, 1), refused(255, code)}), 1, batch);
        for (const auto& one : decoded.decisions)
            CHECK(one.error() == errc::outcome_unknown);
    }
}

TEST_CASE("redis codec: a page of the outbox") {
    const std::string id = uuid_generator().make().to_string();
    const auto page =
        decode_outbox_page(array({integer(0), text("17"), text("3"), text("1795417523123456"),
                                  text(id), text("2 3 1 1999 3 40 s7:key")}));
    REQUIRE(page.has_value());
    CHECK(page->next_cursor == "17");
    CHECK(page->epoch == 3);
    CHECK(page->read_at == timestamp{std::chrono::microseconds{1'795'417'523'123'456}});
    REQUIRE(page->events.size() == 1);
    CHECK(order_in(page->events[0]).seq == 42);
    const auto last = decode_outbox_page(array({integer(0), text("0"), text("3"), text("1")}));
    REQUIRE(last.has_value());
    CHECK(last->next_cursor.empty());
    CHECK(last->events.empty());
    for (const auto& wrong : {array({integer(0), text("0"), text("3")}),
                              array({integer(0), text("0"), text("x"), text("1")}),
                              array({integer(0), text("0"), text("3"), text("s7:key 3 1 1")})}) {
        CHECK_FALSE(decode_outbox_page(wrong).has_value());
    }
}

TEST_CASE("redis codec: a payment window goes to the gate and comes back with the price") {
    argument_list list;
    add_product(list, {1, 10, 1'999, {}, {}, {}, *currency_code::parse("USD"), 300});
    add_product(list, {2, 10, 0, {}, {}, {}, {}, payment_window_max_s});
    add_product(list, {3, 10, 5, {}, {}, {}});
    CHECK(list.views()[3] == "1999USD+300");
    CHECK(list.views()[10] == "0+604800");
    CHECK(list.views()[17] == "5");

    uuid_generator make;
    std::vector<reservation> batch;
    for (std::int64_t user = 1; user <= 5; ++user)
        batch.push_back(sale(user, make.make()));
    batch.back().what = operation::reduction;
    const std::string first = make.make().to_string();
    const value token = text("t " + make.make(3).to_string());
    const auto decisions =
        decode_decisions(array({integer(0), token, text("g 1 42 1999USD+300"), text("g 1 43 1999"),
                                text("r " + first + " 5+60"),
                                text("p " + first + " 6USD+1 8 3 1 6USD+1 7 50 s7:a key"),
                                text("g 1 44 1999+300")}),
                         7, batch)
            .decisions;
    const std::uint32_t windows[] = {300, 0, 60, 1};
    for (std::size_t i = 0; i < 4; ++i) {
        INFO(i);
        REQUIRE(decisions[i].has_value());
        CHECK(decisions[i]->payment_window_s == windows[i]);
        if (decisions[i]->recorded) continue;
        const auto event = order_in(decisions[i]->event);
        CHECK(event.payment_window_s == windows[i]);
        CHECK(event.unit_price == decisions[i]->unit_price);
    }
    REQUIRE(decisions[4].has_value());
    const auto reduced = events::parse(decisions[4]->event);
    REQUIRE(reduced.has_value());
    CHECK(std::get<events::stock_reduced>(*reduced).payment_window_s == 0);
    for (const char* wrong : {"g 5 42 1999+0", "g 5 42 1999+604801", "g 5 42 1999+", "g 5 42 +300"})
        CHECK(decode_decisions(array({integer(0), token, text(wrong)}), 7, batch)
                  .decisions.front()
                  .error() == errc::outcome_unknown);
}
