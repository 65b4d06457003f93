#include "delivery_tags.hpp"

#include <catch2/catch.hpp>

using flashsale::amqp::delivery_tags;

TEST_CASE("delivery tags: one acknowledgement settles all before it") {
    delivery_tags tags;
    tags.begin(1);
    tags.add(1);
    const auto second = tags.add(2);
    const auto third = tags.add(3);
    CHECK(tags.settle_up_to(second) == 2);
    CHECK(tags.open() == 1);
    CHECK_FALSE(tags.settle_up_to(second));
    CHECK(tags.settle_up_to(third) == 3);
    CHECK(tags.open() == 0);
}

TEST_CASE("delivery tags: what was dead-lettered alone is not acknowledged again") {
    delivery_tags tags;
    tags.begin(1);
    tags.add(1);
    const auto poison = tags.add(2);
    CHECK(tags.settle_one(poison) == 2);
    CHECK_FALSE(tags.settle_one(poison));
    // The broker closes a channel that names a number it no longer knows.
    CHECK(tags.settle_up_to(poison) == 1);
    CHECK_FALSE(tags.settle_up_to(poison));
}

TEST_CASE("delivery tags: those of an earlier connection are void") {
    delivery_tags tags;
    tags.begin(1);
    const auto old = tags.add(1);
    tags.begin(2);
    const auto fresh = tags.add(1);
    CHECK(old != fresh);
    CHECK(tags.is_void(old));
    CHECK_FALSE(tags.is_void(fresh));
    CHECK(tags.settle_up_to(fresh) == 1);
}
