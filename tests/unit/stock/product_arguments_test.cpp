#include <catch2/catch.hpp>

#include "redis/redis_codec.hpp"

using namespace flashsale;
using namespace flashsale::stock;

TEST_CASE("redis codec: what halts a product, and a limit over its sale, go where few look") {
    const auto added = [](gate_product what) {
        argument_list list;
        add_product(list, what);
        std::vector<std::string> out;
        for (const std::string_view one : list.views())
            out.emplace_back(one);
        return out;
    };
    gate_product lamp{1, 10, 5, 3, timestamp{std::chrono::microseconds{7}}, {}};
    lamp.revision = 4;
    CHECK(added(lamp) == std::vector<std::string>{"1", "10", "4", "5", "3", "7", ""});
    lamp.halted = halt::paused;
    lamp.sale_id = 12;
    CHECK(added(lamp) == std::vector<std::string>{"1", "10", "4", "5", "3", "paused", ""});
    lamp.sale_limit = 6;
    CHECK(added(lamp)[4] == "3 12 6");
    lamp.per_user_limit.reset();
    lamp.halted = halt::deleted;
    CHECK(added(lamp)[4] == "- 12 6");
    CHECK(added(lamp)[5] == "deleted");
}
