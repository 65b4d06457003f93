#include <flashsale/base/currency.hpp>

#include <catch2/catch.hpp>

using namespace flashsale;

TEST_CASE("currency: a code is three letters, in use today") {
    for (const char* code : {"EUR", "USD", "JPY", "CHF", "KWD", "CLP"}) {
        INFO(code);
        CHECK(is_currency(code));
        CHECK(currency_code::parse(code)->text() == code);
    }
    for (const char* wrong : {"", "eur", "EU", "EURO", "DEM", "XTS", "XAU", "ZZZ", "E R", "€"}) {
        INFO(wrong);
        CHECK_FALSE(is_currency(wrong));
    }
    for (const char* wrong : {"eur", "EU", "EURO", "E R", "€"})
        CHECK_FALSE(currency_code::parse(wrong).has_value());
    CHECK(currency_code::parse("")->is_none());
    CHECK(currency_code{}.or_else(*currency_code::parse("EUR")).text() == "EUR");
    CHECK(currency_code::parse("USD")->or_else(*currency_code::parse("EUR")).text() == "USD");
}

TEST_CASE("currency: a price and its currency are one word") {
    const auto written = [](std::int64_t amount, std::string_view code) {
        std::string out;
        append_price(out, amount, *currency_code::parse(code));
        return out;
    };
    CHECK(written(1'999, "") == "1999");
    CHECK(written(0, "JPY") == "0JPY");
    for (const auto& [amount, code] :
         {std::pair{std::int64_t{0}, ""}, {1'999, ""}, {1'999, "USD"}}) {
        std::int64_t read = -1;
        currency_code of;
        REQUIRE(read_price(written(amount, code), read, of));
        CHECK(read == amount);
        CHECK(of.text() == code);
    }
    for (const char* wrong : {"", "USD", "-1", "-0", "1.5", "1999 USD", "1999usd", "1999US",
                              "1999USDX", "9223372036854775808"}) {
        INFO(wrong);
        std::int64_t amount = 0;
        currency_code of;
        CHECK_FALSE(read_price(wrong, amount, of));
    }
}
