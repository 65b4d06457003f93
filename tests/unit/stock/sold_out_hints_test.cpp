#include "redis/sold_out.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::stock;

TEST_CASE("sold-out hints: no quantity below the least that was refused") {
    sold_out_hints hints;
    CHECK_FALSE(hints.is_likely(1, 5));
    hints.refused(1, 5);
    CHECK(hints.is_likely(1, 5));
    CHECK(hints.is_likely(1, 6));
    CHECK_FALSE(hints.is_likely(1, 4));
    hints.refused(1, 2);
    hints.refused(1, 9);
    CHECK(hints.is_likely(1, 2));
    CHECK_FALSE(hints.is_likely(2, 2));
    hints.in_stock(1);
    CHECK_FALSE(hints.is_likely(1, 9));
}

TEST_CASE("sold-out hints: bounded") {
    sold_out_hints hints;
    for (std::int64_t product = 0;
         product <= static_cast<std::int64_t>(sold_out_hints::products_max); ++product) {
        hints.refused(product, 1);
    }
    CHECK_FALSE(hints.is_likely(0, 1));
    CHECK(hints.is_likely(static_cast<std::int64_t>(sold_out_hints::products_max), 1));
}
