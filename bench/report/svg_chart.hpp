#pragma once

#include <string>
#include <vector>

namespace flashsale::bench {

/// A line chart with labelled axes and a legend, as SVG text. No I/O.
struct svg_chart {
    struct series {
        std::string name;
        std::vector<double> x;
        std::vector<double> y;
    };
    struct tick {
        double at;
        std::string label;
    };

    std::string title;
    std::string x_label;
    std::string y_label;
    bool y_logarithmic = false;  ///< then values below `y_min` are drawn at it
    double y_min = 0;
    std::vector<tick> x_ticks{};  ///< empty: round numbers
    std::vector<series> lines{};
};

/// The charts one below the other: a whole document.
std::string to_svg(const std::vector<svg_chart>& charts);

}  // namespace flashsale::bench
