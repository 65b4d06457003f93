#include "site/databases.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "process.hpp"

using namespace flashsale::bench;

TEST_CASE("databases: from the configuration, the environment wins") {
    const flashsale::test::temporary_file config{".json"};
    std::ofstream{config.path()} << R"({
        // where the record is
        "postgres": {"user_url": "u", "stock_url": "s", "order_url": "o", /* others */ "x": 1},
    })";
    const environment none = [](const char*) -> std::optional<std::string> { return std::nullopt; };
    const auto found = find_databases(config.path(), none);
    CHECK(found.stock == "s");
    CHECK(found.order == "o");
    CHECK(find_user_database(config.path(), none) == "u");
    const environment some = [](const char* name) -> std::optional<std::string> {
        if (std::string_view{name} == "FLASHSALE_POSTGRES__STOCK_URL") return "elsewhere";
        return std::nullopt;
    };
    CHECK(find_databases(config.path(), some).stock == "elsewhere");
    CHECK(find_databases(config.path(), some).order == "o");
    CHECK_THROWS_WITH(find_databases({}, some), Catch::Contains("FLASHSALE_POSTGRES__ORDER_URL"));
    CHECK_THROWS(find_databases("/no/such/file", none));
}
