#include <catch2/catch.hpp>

#include "load/each_once.hpp"

using namespace flashsale::bench;

namespace {

each_once three() {
    return {"a wish", 3,
            [](std::size_t i, std::string_view host, std::string& out) {
                out += std::string{host} + std::to_string(i);
            },
            [](std::size_t, const outcome& what) { return what.status == 201; }};
}

}  // namespace

TEST_CASE("each_once: every request is given out once, in turn") {
    auto wishes = three();
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(wishes.next() == i);
        wishes.done(i, {.what = verdict::accepted, .status = 201});
    }
    CHECK(wishes.next() == std::nullopt);
    CHECK(wishes.fault().empty());
    std::string out;
    wishes.render(2, "h", out);
    CHECK(out == "h2");
}

TEST_CASE("each_once: the first answer that was not expected ends it, and is told") {
    auto wishes = three();
    CHECK(wishes.next() == 0u);
    CHECK(wishes.next() == 1u);
    wishes.done(0, {.what = verdict::refused, .status = 402, .code = "poor", .body = "{}"});
    CHECK(wishes.next() == std::nullopt);
    wishes.done(1, {.what = verdict::refused, .status = 409, .code = "late"});
    CHECK(wishes.fault() == "a wish was answered 402 poor {}");
}
