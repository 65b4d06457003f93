#include <catch2/catch.hpp>

#include <flashsale/base/migration.hpp>
#include <flashsale/base/sha256.hpp>

using namespace flashsale;

TEST_CASE("sha256: the examples of FIPS 180-4, and every length around a block") {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    std::string chain;
    for (std::size_t length = 50; length < 140; ++length)
        chain += sha256_hex(std::string(length, 'x'));
    CHECK(sha256_hex(chain) == "d6041fb903d261f2cedbf1bb1486d94079e2d3c8f46f8dfce86c53f81c346b1f");
}

TEST_CASE("migration: newer and changed are told before behind") {
    const std::vector<migration> all{{1, "0001_a", "A"}, {2, "0002_b", "B"}};
    const std::string a = sha256_hex("A"), b = sha256_hex("B");
    CHECK(compare_schema({}, all).state == schema_state::behind);
    CHECK(compare_schema({{1, {"0001_a", a}}}, all).state == schema_state::behind);
    CHECK(first_missing({{1, {"0001_a", a}}}, all) == &all[1]);
    CHECK(compare_schema({{1, {"0001_a", a}}, {2, {"0002_b", b}}}, all).state ==
          schema_state::current);
    CHECK(compare_schema({{1, {"0001_a", b}}}, all).state == schema_state::changed);
    const auto newer = compare_schema({{1, {"0001_a", a}}, {3, {"0003_c", b}}}, all);
    CHECK(newer.state == schema_state::ahead);
    CHECK(newer.detail.find("0003_c") != std::string::npos);
}
