#include "report/json_text.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <limits>

using flashsale::bench::to_text;

TEST_CASE("json text: plain numbers, one line, still JSON") {
    const boost::json::value all{
        {"a", 0.566421821},
        {"b", {1, "x\"y", nullptr, true}},
        {"c", boost::json::object{}},
        {"d", 1'234'567.8},
        {"e", 0.0},
        {"f", std::numeric_limits<double>::infinity()},
    };
    const auto text = to_text(all);
    CHECK(text == R"({"a":0.566422,"b":[1,"x\"y",null,true],"c":{},"d":1234568,"e":0,"f":null})");
    CHECK(boost::json::parse(text).is_object());
}
