#include <catch2/catch.hpp>

#include <flashsale/http/if_match.hpp>

#include "caching.hpp"

using namespace flashsale;
using namespace flashsale::http;

namespace {

/// `428`, `400`, `any`, or the revision.
std::string read(const char* if_match) {
    request asked;
    if (if_match) asked.headers.set(header::if_match, if_match);
    const auto found = revision_in_if_match(asked);
    if (!found) return std::to_string(found.error().status);
    return *found ? std::to_string(**found) : "any";
}

}  // namespace

TEST_CASE("if-match: a change is of the revision in the tag that was read") {
    const std::pair<const char*, const char*> all[] = {
        {nullptr, "428"},
        {"*", "any"},
        {"\"r7\"", "7"},
        {"\"r7.1f\"", "7"},
        {"\"1f\"", "0"},
        {"\"r\"", "0"},
        {"\"r0\"", "0"},
        {"\"r-1\"", "0"},
        {"\"r7x\"", "0"},
        {"W/\"r7\"", "0"},
        {"r7", "400"},
        {"", "400"},
        {"\"", "400"},
        {"\"r7\", \"r8\"", "400"},
        {"\"r99999999999999999999\"", "0"},
    };
    for (const auto& [text, revision] : all)
        CHECK(read(text) == revision);
}

TEST_CASE("if-match: a tag has the revision in front of what else it says") {
    CHECK(quoted_tag(0x1f2e) == "\"1f2e\"");
    CHECK(quoted_tag(0x1f2e, 7) == "\"r7.1f2e\"");
    CHECK(quoted_tag(0, 7) == "\"r7\"");
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    CHECK(quoted_tag(~std::uint64_t{0}, most).size() == 1 + 1 + 19 + 1 + 16 + 1);
    CHECK(read(quoted_tag(5, most).c_str()) == std::to_string(most));
}
