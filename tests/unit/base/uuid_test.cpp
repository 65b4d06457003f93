#include <catch2/catch.hpp>
#include <flashsale/base/uuid.hpp>

using namespace flashsale;

TEST_CASE("uuid: text form round-trips and nothing else is accepted") {
    uuid_generator make;
    const uuid id = make.make(0);
    CHECK(uuid::parse(id.to_string()) == id);
    CHECK(uuid::parse("01890a5d-ac96-774b-bcce-b302099a8057")->to_string() ==
          "01890a5d-ac96-774b-bcce-b302099a8057");
    CHECK(uuid::parse("01890A5D-AC96-774B-BCCE-B302099A8057").has_value());
    for (const char* wrong : {"", "01890a5d", "01890a5dac96774bbcceb302099a8057",
                              "01890a5d-ac96-774b-bcce-b302099a805", "g1890a5d-ac96-774b-bcce-b302099a8057",
                              "01890a5d-ac96-774b-bcce_b302099a8057",
                              "{01890a5d-ac96-774b-bcce-b302099a805}"}) {
        CHECK_FALSE(uuid::parse(wrong).has_value());
    }
}

TEST_CASE("uuid: version 7 carries its millisecond and its shard") {
    uuid_generator make;
    const timestamp when{std::chrono::microseconds{1'795'417'523'123'456}};
    const uuid id = make.make(0xabc, when);
    CHECK(id.time() == timestamp{std::chrono::microseconds{1'795'417'523'123'000}});
    CHECK(id.shard() == 0xabc);
    CHECK(id.to_string()[14] == '7');
    CHECK(std::string("89ab").find(id.to_string()[19]) != std::string::npos);
    CHECK(make.make(0xabc, when) != id);
    CHECK(make.make(0, when + std::chrono::milliseconds{1}) > id);
}
