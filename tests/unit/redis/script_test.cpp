#include <catch2/catch.hpp>

#include <flashsale/redis.hpp>

TEST_CASE("redis script: its SHA-1 is the one that the server computes") {
    CHECK(flashsale::redis::script("return 1").sha1() ==
          "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    CHECK(flashsale::redis::script("").sha1() == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}
