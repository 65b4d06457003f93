#include "parallel.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <stdexcept>

#include "eventually.hpp"

using namespace flashsale::test;

TEST_CASE("parallel: results in order, all at the same time") {
    std::atomic<std::size_t> inside = 0;
    const auto met = parallel(16, [&](std::size_t i) {
        ++inside;
        const bool all = eventually(std::chrono::seconds{60}, [&] { return inside == 16; });
        return all ? i : 1'000;
    });
    REQUIRE(met.size() == 16);
    for (std::size_t i = 0; i < met.size(); ++i)
        CHECK(met[i] == i);
}

TEST_CASE("parallel: an exception reaches the caller") {
    CHECK_THROWS_WITH(parallel(4,
                               [](std::size_t i) {
                                   if (i == 2) throw std::runtime_error("two");
                                   return i;
                               }),
                      "two");
}

TEST_CASE("eventually: true as soon as it holds, false after the limit") {
    int asked = 0;
    CHECK(eventually(std::chrono::seconds{60}, [&] { return ++asked == 3; }));
    CHECK(asked == 3);
    CHECK_FALSE(eventually(std::chrono::milliseconds{30}, [] { return false; }));
}
