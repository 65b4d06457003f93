#include "accept.hpp"

#include <catch2/catch.hpp>

#include <array>

using flashsale::http::preferred_type;

namespace {

constexpr std::array<std::string_view, 2> offers{"application/json", "text/csv"};

bool is_csv(std::string_view accept) {
    return preferred_type(accept, offers) == "text/csv";
}

}  // namespace

TEST_CASE("accept: the type that the client likes best") {
    const auto accept =
        GENERATE(as<std::string>{}, "text/csv", "TEXT/CSV", "text/*", "text/csv; charset=utf-8",
                 "text/csv, application/json;q=0.9", "application/json; q=0.5 , text/csv ;q=0.501",
                 "*/*;q=0.1, text/csv", "application/json;q=0, */*", "text/csv;q=1.000, */*;q=0.9",
                 "text/csv;q=1.", "text/csv;note=\"a, b;q=0\"", "text/html, text/csv",
                 ",,text/csv,", "text/csv;q=0.001", "application/*;q=0.2, */*;q=0.3");
    INFO(accept);
    CHECK(is_csv(accept));
}

TEST_CASE("accept: the first that is offered, where it is liked as well or nothing is") {
    const auto accept = GENERATE(
        as<std::string>{}, "", "*/*", "application/json", "text/csv, application/json",
        "application/json, text/csv", "application/*", "text/html,application/xml;q=0.9,*/*;q=0.8",
        "text/csv;q=0", "image/png", "text/csv;q=0.5, */*", "text/*, text/csv;q=0",
        "text/csv;q=0.5, application/json;q=0.6", "application/json;q=0", ",", "csv");
    INFO(accept);
    CHECK_FALSE(is_csv(accept));
}

TEST_CASE("accept: a range that is malformed is passed over, the others count") {
    // The first is what Java's HttpURLConnection has always sent.
    const auto accept =
        GENERATE(as<std::string>{}, "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
                 "text/csv;q=2", "text/csv;q=0.5555", "text/csv;q=0.5a", "text/csv;q=x",
                 "text/csv;q=", "text/", "/csv", "text/c sv", "*/csv", "text/csv;q=1.001",
                 "text/csv;q=-1", "text/csv;q=00", "text/csv;q=0.a");
    INFO(accept);
    CHECK_FALSE(is_csv(accept));
    CHECK(is_csv(accept + ", text/csv"));
}
