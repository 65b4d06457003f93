#include <catch2/catch.hpp>
#include <flashsale/events/event.hpp>

using namespace flashsale;
using namespace flashsale::events;

namespace {

event sample() {
    uuid_generator make;
    event out;
    out.id = make.make(5);
    out.shard = 5;
    out.user_id = std::numeric_limits<std::int64_t>::max();
    out.product_id = 9'007'199'254'740'993;
    out.quantity = 9'007'199'254'740'991;
    out.idempotency_key = "quote \" and é";
    out.created_at = out.id.time();
    out.unit_price = 1'999;
    out.generation = 3;
    out.seq = 9'007'199'254'740'990;
    return out;
}

std::string complete(const event& what) {
    std::string text = open_event(what);
    close_event(text, what.unit_price, what.generation, what.seq);
    return text;
}

}  // namespace

TEST_CASE("event: what was written is read back exactly") {
    const event order = sample();
    const bool in_full = GENERATE(false, true);
    const auto read = parse(in_full ? text_of(order) : complete(order));
    REQUIRE(read.has_value());
    CHECK(read->what == event::kind::order_accepted);
    CHECK(read->id == order.id);
    CHECK(read->shard == 5);
    CHECK(read->user_id == order.user_id);
    CHECK(read->product_id == order.product_id);
    CHECK(read->quantity == order.quantity);
    CHECK(read->idempotency_key == order.idempotency_key);
    CHECK(read->created_at == order.created_at);
    CHECK(read->unit_price == order.unit_price);
    CHECK(read->generation == order.generation);
    CHECK(read->seq == order.seq);

    event reduction = sample();
    reduction.what = event::kind::stock_reduced;
    const auto read_reduction = parse(complete(reduction));
    REQUIRE(read_reduction.has_value());
    CHECK(read_reduction->what == event::kind::stock_reduced);
}

TEST_CASE("event: a barrier is read back, and needs nothing of an order") {
    uuid_generator make;
    event barrier;
    barrier.what = event::kind::barrier;
    barrier.id = make.make(3);
    barrier.shard = 3;
    barrier.generation = 9;
    barrier.created_at = barrier.id.time();
    const auto read = parse(text_of(barrier));
    REQUIRE(read.has_value());
    CHECK(read->what == event::kind::barrier);
    CHECK(read->id == barrier.id);
    CHECK(read->shard == 3);
    CHECK(read->generation == 9);
    CHECK(read->created_at == barrier.created_at);
    CHECK_FALSE(parse(R"({"version":1,"type":"barrier","id":")" + barrier.id.to_string() +
                      R"(","shard":3,"generation":9})")
                    .has_value());
    CHECK(text_of(sample()).ends_with(R"("seq":9007199254740990})"));
}

TEST_CASE("event: an order comes in short, a third as long") {
    const event order = sample();
    CHECK(complete(order) ==
          R"([2,")" + order.id.to_string() +
              R"(",9223372036854775807,9007199254740993,9007199254740991,"quote \" and é",1999,3,)"
              "9007199254740990]");
    CHECK(text_of(*parse(complete(order))) == text_of(order));
}

TEST_CASE(
    "event: a currency of the product's own comes with its price, and else nothing more does") {
    event order = sample();
    order.currency = *currency_code::parse("USD");
    std::string in_short = open_event(order);
    close_event(in_short, order.unit_price, order.generation, order.seq, order.currency);
    CHECK(in_short.ends_with(R"(,"1999USD",3,9007199254740990])"));
    const std::string in_full = text_of(order);
    CHECK(in_full.find(R"(,"unit_price":"1999USD",)") != std::string::npos);
    for (const std::string& written : {in_short, in_full}) {
        const auto read = parse(written);
        REQUIRE(read.has_value());
        CHECK(read->unit_price == 1'999);
        CHECK(read->currency == order.currency);
        CHECK(text_of(*read) == in_full);
    }
    // As every version before has written it.
    const auto old = parse(complete(sample()));
    REQUIRE(old.has_value());
    CHECK(old->currency.is_none());
    for (const char* wrong : {"", "1999", "USD", "-1USD", "1999usd", "1999US", "1999 USD"}) {
        INFO(wrong);
        std::string text = in_full;
        text.replace(text.find("1999USD"), 7, wrong);
        const auto read = parse(text);
        CHECK(read.has_value() == (std::string_view(wrong) == "1999"));
        if (!read) CHECK(read.error().starts_with("unit_price"));
    }
}

TEST_CASE("event: its id is found without reading the rest") {
    const event order = sample();
    CHECK(id_of(text_of(order)) == order.id);
    CHECK(id_of(complete(order)) == order.id);
    CHECK_FALSE(id_of("[]").has_value());
    CHECK_FALSE(id_of(R"([2,"0189)").has_value());
    CHECK_FALSE(id_of(R"([7,{"id":"01a20d4b-b941-7000-bb4f-cd9053a74934"}])").has_value());
    CHECK_FALSE(id_of("{}").has_value());
    CHECK_FALSE(id_of(R"({"id":"0189)").has_value());
    CHECK_FALSE(id_of(R"({"id":"not a UUID, but as long as one is__"})").has_value());
}

TEST_CASE("event: members that a later version adds are left alone") {
    std::string text = text_of(sample());
    text.insert(text.size() - 1, R"(,"later":[1,2])");
    CHECK(parse(text).has_value());
    std::string in_short = complete(sample());
    in_short.insert(in_short.size() - 1, R"(,{"later":[1,2]})");
    CHECK(parse(in_short).has_value());
}

TEST_CASE("event: what is wrong is named") {
    const auto fault_of = [](std::string from, const std::string& to) {
        std::string text =
            from.starts_with('[') || from.starts_with(',') ? complete(sample()) : text_of(sample());
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        text.replace(at, from.size(), to);
        const auto read = parse(text);
        return read ? std::string("accepted") : read.error();
    };
    CHECK(fault_of("\"version\":1", "\"version\":2").starts_with("version"));
    CHECK(fault_of("order_accepted", "order_imagined").starts_with("type"));
    CHECK(fault_of("\"user_id\":9223372036854775807", "\"user_id\":0").starts_with("user_id"));
    CHECK(fault_of("\"quantity\":9007199254740991", "\"quantity\":-1").starts_with("quantity"));
    CHECK(fault_of("\"quantity\":9007199254740991", "\"quantity\":9007199254740992")
              .starts_with("quantity"));
    CHECK(fault_of("\"seq\":", "\"other\":").starts_with("seq"));
    CHECK(fault_of("\"created_at\"", "\"made_at\"").starts_with("created_at"));
    CHECK(fault_of("\"id\":\"0", "\"id\":\"x").starts_with("id"));
    CHECK(fault_of(",9223372036854775807", ",0").starts_with("user_id"));
    CHECK(fault_of(",9223372036854775807", ",\"7\"").starts_with("user_id"));
    CHECK(fault_of(",9007199254740991", ",-1").starts_with("quantity"));
    CHECK(fault_of(",9007199254740990]", ",0]").starts_with("seq"));
    CHECK(fault_of(",1999", ",-1").starts_with("unit_price"));
    CHECK(fault_of("[2,\"0", "[2,\"x").starts_with("id"));
    CHECK(fault_of("[2,", "[3,").starts_with("event"));
    CHECK(fault_of(",9007199254740990]", "]").starts_with("event"));
    CHECK(parse("[]").error().starts_with("event"));
    CHECK(parse("{").error().starts_with("not JSON"));
}
