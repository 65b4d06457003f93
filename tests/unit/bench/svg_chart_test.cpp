#include "report/svg_chart.hpp"

#include <catch2/catch.hpp>
#include <regex>

using namespace flashsale::bench;

namespace {

/// The error of a document that is no well-formed XML of plain elements; empty if it is.
std::string malformed(const std::string& text) {
    std::vector<std::string> open;
    const std::regex tag{R"(<(/?)([a-z]+)((?: [a-zA-Z0-9:-]+="[^"<&]*")*) ?(/?)>)"};
    std::size_t at = text.starts_with("<?xml") ? text.find("?>") + 2 : 0;
    while ((at = text.find('<', at)) != text.npos) {
        std::smatch found;
        const auto rest = text.substr(at);
        if (!std::regex_search(rest, found, tag, std::regex_constants::match_continuous)) {
            return "no tag: " + rest.substr(0, 60);
        }
        if (found[1].length() > 0) {
            if (open.empty() || open.back() != found[2]) return "not open: " + found[0].str();
            open.pop_back();
        } else if (found[4].length() == 0) {
            open.push_back(found[2]);
        }
        at += static_cast<std::size_t>(found[0].length());
        const auto next = text.find('<', at);
        const auto between = text.substr(at, next == text.npos ? next : next - at);
        if (between.find('>') != between.npos) return "a stray '>': " + between;
        if (std::regex_search(between, std::regex{"&(?!lt;|gt;|amp;)"})) return "a stray '&'";
    }
    return open.empty() ? "" : "never closed: " + open.back();
}

svg_chart small() {
    return {.title = "a < b & c > d",
            .x_label = "seconds",
            .y_label = "orders per second",
            .lines = {{"accepted", {0, 1, 2}, {0, 40'000, 20'000}}, {"refused", {0, 1}, {1, 2}}}};
}

/// All coordinates of all polylines.
std::vector<std::pair<double, double>> points_of(const std::string& svg) {
    std::vector<std::pair<double, double>> all;
    const std::regex point{R"((-?[0-9.]+),(-?[0-9.]+) )"};
    for (std::size_t at = 0; (at = svg.find("points=\"", at)) != svg.npos; ++at) {
        const auto line = svg.substr(at + 8, svg.find('"', at + 8) - at - 8);
        for (std::sregex_iterator each{line.begin(), line.end(), point}, end; each != end; ++each)
            all.emplace_back(std::stod((*each)[1]), std::stod((*each)[2]));
    }
    return all;
}

}  // namespace

TEST_CASE("svg: well-formed, with its axes and lines named") {
    const auto svg = to_svg({small(), small()});
    INFO(svg);
    CHECK(malformed(svg) == "");
    for (const char* there : {"a &lt; b &amp; c &gt; d", "seconds", "orders per second", "accepted",
                              "refused", "40,000"}) {
        CHECK_THAT(svg, Catch::Contains(there));
    }
    CHECK(malformed("<svg><text></svg>") != "");
    CHECK(malformed("<svg>a < b</svg>") != "");
}

TEST_CASE("svg: every point is inside, and higher is up") {
    const auto points = points_of(to_svg({small()}));
    REQUIRE(points.size() == 5);
    for (const auto& [x, y] : points) {
        CHECK((x >= 0 && x <= 860));
        CHECK((y >= 0 && y <= 380));
    }
    CHECK(points[1].second < points[2].second);
    CHECK(points[2].second < points[0].second);
    CHECK(points[0].first < points[1].first);
}

TEST_CASE("svg: a logarithmic axis draws what is too small at its foot") {
    svg_chart chart{.title = "t",
                    .x_label = "percentile",
                    .y_label = "milliseconds",
                    .y_logarithmic = true,
                    .y_min = 0.1,
                    .x_ticks = {{0, "0"}, {2, "99"}},
                    .lines = {{"a", {0, 1, 2}, {0.001, 0.1, 10}}}};
    const auto svg = to_svg({chart});
    CHECK(malformed(svg) == "");
    const auto points = points_of(svg);
    REQUIRE(points.size() == 3);
    CHECK(points[0].second == points[1].second);
    CHECK(points[2].second < points[1].second);
}

TEST_CASE("svg: nothing to draw is drawn too") {
    CHECK(malformed(to_svg({svg_chart{}})) == "");
    CHECK(malformed(to_svg({})) == "");
}
