#include <catch2/catch.hpp>
#include <charconv>
#include <flashsale/events/event.hpp>

using namespace flashsale;
using namespace flashsale::events;
namespace json = boost::json;

namespace {

order_accepted sample() {
    uuid_generator make;
    order_accepted out;
    out.id = make.make(5);
    out.shard = 5;
    out.user_id = std::numeric_limits<std::int64_t>::max();
    out.product_id = 9'007'199'254'740'993;
    out.quantity = 9'007'199'254'740'991;
    out.idempotency_key = "quote \" and é";
    out.created_at = out.id.time();
    out.unit_price = 1'999;
    out.epoch = 3;
    out.seq = 9'007'199'254'740'990;
    return out;
}

order_accepted order_in(std::string_view text) {
    const auto read = parse(text);
    if (!read) throw std::runtime_error(read.error());
    return std::get<order_accepted>(*read);
}

const char* const an_id = "0189abcd-ef01-7005-8123-456789abcdef";

/// What every version has written, byte for byte: a queue or an outbox may have it still.
constexpr const char* order_in_short =
    R"([2,"0189abcd-ef01-7005-8123-456789abcdef",7,3,2,"a \"key\"",1999,4,42])";
constexpr const char* order_in_full =
    R"({"version":1,"type":"order_accepted","id":"0189abcd-ef01-7005-8123-456789abcdef","shard":5,)"
    R"("user_id":7,"product_id":3,"quantity":2,"idempotency_key":"a \"key\"",)"
    R"("created_at":"2023-07-31T11:55:47.329Z","unit_price":1999,"epoch":4,"seq":42})";
constexpr const char* reduction_in_full =
    R"({"version":1,"type":"stock_reduced","id":"0189abcd-ef01-7005-8123-456789abcdef","shard":5,)"
    R"("product_id":3,"quantity":2,"idempotency_key":"a \"key\"",)"
    R"("created_at":"2023-07-31T11:55:47.329Z","unit_price":1999,"epoch":4,"seq":42})";
constexpr const char* barrier_in_full =
    R"({"version":1,"type":"barrier","id":"0189abcd-ef01-7005-8123-456789abcdef","shard":5,)"
    R"("created_at":"2023-07-31T11:55:47.329Z","epoch":4})";

}  // namespace

TEST_CASE("event: is written byte for byte as every version has written it, and so read") {
    stock_reduced reduction;
    reduction.id = *uuid::parse(an_id);
    reduction.shard = reduction.id.shard();
    reduction.created_at = reduction.id.time();
    reduction.product_id = 3;
    reduction.quantity = 2;
    reduction.idempotency_key = "a \"key\"";
    reduction.unit_price = 1'999;
    reduction.epoch = 4;
    reduction.seq = 42;
    order_accepted order;
    static_cast<basic_units_taken<std::string>&>(order) = reduction;
    order.user_id = 7;
    barrier mark;
    static_cast<event_base&>(mark) = reduction;

    CHECK(granted_text(order) == order_in_short);
    CHECK(text_of(order) == order_in_full);
    CHECK(granted_text(reduction) == reduction_in_full);
    CHECK(text_of(reduction) == reduction_in_full);
    CHECK(text_of(mark) == barrier_in_full);
    for (const char* written :
         {order_in_short, order_in_full, reduction_in_full, barrier_in_full}) {
        INFO(written);
        const auto read = parse(written);
        REQUIRE(read.has_value());
        CHECK(text_of(*read) == (written == order_in_short ? order_in_full : written));
        CHECK(id_of(written) == base_of(*read).id);
    }
    // The versions before called the epoch a generation.
    for (const std::string written : {order_in_full, reduction_in_full, barrier_in_full}) {
        std::string before = written;
        before.replace(before.find("\"epoch\""), 7, "\"generation\"");
        const auto read = parse(before);
        REQUIRE(read.has_value());
        CHECK(text_of(*read) == written);
    }
    order.currency = *currency_code::parse("USD");
    std::string in_short = order_in_short;
    in_short.replace(in_short.find("1999"), 4, R"("1999USD")");
    CHECK(granted_text(order) == in_short);
}

TEST_CASE("event: what was written is read back exactly") {
    const order_accepted order = sample();
    const bool in_full = GENERATE(false, true);
    const auto read = order_in(in_full ? text_of(order) : granted_text(order));
    CHECK(read.id == order.id);
    CHECK(read.shard == 5);
    CHECK(read.user_id == order.user_id);
    CHECK(read.product_id == order.product_id);
    CHECK(read.quantity == order.quantity);
    CHECK(read.idempotency_key == order.idempotency_key);
    CHECK(read.created_at == order.created_at);
    CHECK(read.unit_price == order.unit_price);
    CHECK(read.epoch == order.epoch);
    CHECK(read.seq == order.seq);
}

TEST_CASE("event: a barrier is read back, and needs nothing of an order") {
    uuid_generator make;
    barrier mark;
    mark.id = make.make(3);
    mark.shard = 3;
    mark.epoch = 9;
    mark.created_at = mark.id.time();
    const auto read = parse(text_of(mark));
    REQUIRE(read.has_value());
    const auto& same = std::get<barrier>(*read);
    CHECK(same.id == mark.id);
    CHECK(same.shard == 3);
    CHECK(same.epoch == 9);
    CHECK(same.created_at == mark.created_at);
    CHECK_FALSE(parse(R"({"version":1,"type":"barrier","id":")" + mark.id.to_string() +
                      R"(","shard":3,"epoch":9})")
                    .has_value());
    CHECK(text_of(sample()).ends_with(R"("seq":9007199254740990})"));
}

TEST_CASE("event: an order comes in short, a third as long") {
    const order_accepted order = sample();
    CHECK(granted_text(order) ==
          R"([2,")" + order.id.to_string() +
              R"(",9223372036854775807,9007199254740993,9007199254740991,"quote \" and é",1999,3,)"
              "9007199254740990]");
    CHECK(text_of(order_in(granted_text(order))) == text_of(order));
}

TEST_CASE(
    "event: a currency of the product's own comes with its price, and else nothing more does") {
    order_accepted order = sample();
    order.currency = *currency_code::parse("USD");
    const std::string in_short = granted_text(order);
    CHECK(in_short.ends_with(R"(,"1999USD",3,9007199254740990])"));
    const std::string in_full = text_of(order);
    CHECK(in_full.find(R"(,"unit_price":"1999USD",)") != std::string::npos);
    for (const std::string& written : {in_short, in_full}) {
        const auto read = order_in(written);
        CHECK(read.unit_price == 1'999);
        CHECK(read.currency == order.currency);
        CHECK(text_of(read) == in_full);
    }
    // As every version before has written it.
    CHECK(order_in(granted_text(sample())).currency.is_none());
    for (const char* wrong : {"", "1999", "USD", "-1USD", "1999usd", "1999US", "1999 USD"}) {
        INFO(wrong);
        std::string text = in_full;
        text.replace(text.find("1999USD"), 7, wrong);
        const auto read = parse(text);
        CHECK(read.has_value() == (std::string_view(wrong) == "1999"));
        if (!read) CHECK(read.error().starts_with("unit_price"));
    }
}

TEST_CASE("event: how long units are held for payment comes with the price") {
    order_accepted order = sample();
    order.payment_window_s = 300;
    for (const char* price : {"1999+300", "1999USD+300"}) {
        INFO(price);
        const std::string quoted = '"' + std::string(price) + '"';
        const std::string in_short = granted_text(order), in_full = text_of(order);
        CHECK(in_short.ends_with("," + quoted + ",3,9007199254740990]"));
        CHECK(in_full.find(R"(,"unit_price":)" + quoted + ",") != std::string::npos);
        for (const std::string& written : {in_short, in_full}) {
            const auto read = order_in(written);
            CHECK(read.unit_price == 1'999);
            CHECK(read.currency == order.currency);
            CHECK(read.payment_window_s == 300);
            CHECK(text_of(read) == in_full);
        }
        for (const char* wrong : {"1999+", "1999+0", "1999+0300", "1999+604801", "1999+300s",
                                  "1999+300USD", "1999+-300", "+300"}) {
            INFO(wrong);
            std::string text = in_full;
            text.replace(text.find(price), std::string_view(price).size(), wrong);
            const auto read = parse(text);
            REQUIRE_FALSE(read.has_value());
            CHECK(read.error().starts_with("unit_price"));
        }
        order.currency = *currency_code::parse("USD");
    }
    CHECK(order_in(granted_text(sample())).payment_window_s == 0);
}

TEST_CASE("event: the version before sets aside what is held, and takes it for no sale") {
    // Its rule for a price: an integer; or, as a string, one and then three letters or nothing.
    const auto takes = [](const json::value& price) {
        if (!price.is_string()) return price.is_int64() && price.get_int64() >= 0;
        const std::string_view word = price.get_string();
        std::int64_t amount = 0;
        const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), amount);
        if (fault != std::errc{} || amount < 0 || word.front() == '-') return false;
        return currency_code::parse({end, word.data() + word.size()}).has_value();
    };
    order_accepted order = sample();
    for (const std::uint32_t window_s : {0u, 1u, 300u, payment_window_max_s}) {
        for (const char* code : {"", "USD"}) {
            INFO(window_s << code);
            order.payment_window_s = window_s;
            order.currency = *currency_code::parse(code);
            CHECK(takes(json::parse(text_of(order)).at("unit_price")) == (window_s == 0));
            CHECK(takes(json::parse(granted_text(order)).at(6)) == (window_s == 0));
        }
    }
}

TEST_CASE("event: its id is found without reading the rest") {
    const order_accepted order = sample();
    CHECK(id_of(text_of(order)) == order.id);
    CHECK(id_of(granted_text(order)) == order.id);
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
    std::string in_short = granted_text(sample());
    in_short.insert(in_short.size() - 1, R"(,{"later":[1,2]})");
    CHECK(parse(in_short).has_value());
}

TEST_CASE("event: what is wrong is named") {
    const auto fault_of = [](std::string from, const std::string& to) {
        std::string text = from.starts_with('[') || from.starts_with(',') ? granted_text(sample())
                                                                          : text_of(sample());
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
