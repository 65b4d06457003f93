#include "sql.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::test;

TEST_CASE("sql: the database in a URL is found and replaced") {
    CHECK(database_of("postgresql://u:p@127.0.0.1:5432/orders") == "orders");
    CHECK(database_of("postgresql://u:p@127.0.0.1:5432/orders?a=/b") == "orders");
    CHECK(database_of("postgresql://127.0.0.1").empty());
    CHECK(with_database("postgresql://u:p@h:1/orders?sslmode=disable", "x") ==
          "postgresql://u:p@h:1/x?sslmode=disable");
    CHECK(with_database("postgresql://h", "x") == "postgresql://h/x");
    CHECK_THROWS(with_database("host=h dbname=x", "y"));
}
