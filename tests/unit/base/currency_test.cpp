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

TEST_CASE("currency: a price, its currency and how long units are held for it are one word") {
    const auto written = [](std::int64_t amount, std::string_view code, std::uint32_t window_s) {
        std::string out;
        append_price(out, amount, *currency_code::parse(code), window_s);
        return out;
    };
    CHECK(written(1'999, "", 0) == "1999");
    CHECK(written(0, "JPY", 0) == "0JPY");
    CHECK(written(1'999, "", 300) == "1999+300");
    CHECK(written(1'999, "USD", 1) == "1999USD+1");
    for (const auto& [amount, code] :
         {std::pair{std::int64_t{0}, ""}, {1'999, ""}, {1'999, "USD"}}) {
        for (const std::uint32_t window_s : {0u, 1u, 300u, payment_window_max_s}) {
            std::int64_t read = -1;
            currency_code of;
            std::uint32_t held_s = 7;
            REQUIRE(read_price(written(amount, code, window_s), read, of, held_s));
            CHECK(read == amount);
            CHECK(of.text() == code);
            CHECK(held_s == window_s);
        }
    }
    for (const char* wrong : {"",
                              "USD",
                              "-1",
                              "-0",
                              "1.5",
                              "1999 USD",
                              "1999usd",
                              "1999US",
                              "1999USDX",
                              "9223372036854775808",
                              "1999+",
                              "1999+0",
                              "1999+05",
                              "1999+-5",
                              "1999+5s",
                              "1999++5",
                              "1999+5+5",
                              "1999+5USD",
                              "1999+604801",
                              "1999+4294967297",
                              "+5",
                              "USD+5",
                              "1999+00",
                              "1999+4294967596",
                              "1999+ 5",
                              "1999 +5",
                              "1999+5 ",
                              "1999+0x5",
                              "1999US+5",
                              "1999usd+5",
                              "1999USDX+5",
                              "1999-5",
                              "1999USD5",
                              "-1+5"}) {
        INFO(wrong);
        std::int64_t amount = 0;
        currency_code of;
        std::uint32_t held_s = 0;
        CHECK_FALSE(read_price(wrong, amount, of, held_s));
    }
}
