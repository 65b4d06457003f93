#include "report/svg_chart.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace flashsale::bench {

namespace {

constexpr double width = 860, height = 380;
constexpr double left = 90, right = 170, top = 50, bottom = 60;
constexpr std::array colours{"#0b6e4f", "#c1121f", "#1d4e89", "#f4a259", "#6a4c93"};

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '&':
                out += "&amp;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

/// 40000 as 40,000; 0.05 as it is.
std::string figure(double value) {
    if (value < 1'000) return fmt::format("{:.4g}", value);
    auto digits = fmt::format("{:.0f}", value);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return digits;
}

/// A step of 1, 2 or 5 times a power of ten that divides the range in about six.
double round_step(double range) {
    if (range <= 0) return 1;
    const double raw = range / 6;
    const double power = std::pow(10, std::floor(std::log10(raw)));
    for (const double step : {1.0, 2.0, 5.0}) {
        if (raw <= step * power) return step * power;
    }
    return 10 * power;
}

class drawing {
public:
    drawing(const svg_chart& chart, double offset) : chart_{chart}, offset_{offset} {
        for (const auto& line : chart.lines) {
            for (const auto x : line.x)
                x_max_ = std::max(x_max_, x);
            for (const auto y : line.y)
                y_max_ = std::max(y_max_, y);
        }
        y_min_ = chart.y_logarithmic ? std::max(chart.y_min, 1e-9) : chart.y_min;
        y_max_ = std::max(y_max_, chart.y_logarithmic ? y_min_ * 10 : y_min_ + 1);
        if (chart.y_logarithmic) y_max_ = std::pow(10, std::ceil(std::log10(y_max_)));
        for (const auto& each : chart.x_ticks)
            x_max_ = std::max(x_max_, each.at);
        if (x_max_ <= 0) x_max_ = 1;
    }

    std::string draw() {
        text(left, offset_ + 24, "start", chart_.title, "font-size=\"16\" font-weight=\"bold\"");
        y_axis();
        x_axis();
        for (std::size_t i = 0; i < chart_.lines.size(); ++i)
            line(chart_.lines[i], i);
        return std::move(out_);
    }

private:
    double x_of(double x) const { return left + x / x_max_ * (width - left - right); }
    double y_of(double y) const {
        const double clamped = std::max(y, y_min_);
        const double share = chart_.y_logarithmic
                                 ? std::log(clamped / y_min_) / std::log(y_max_ / y_min_)
                                 : (clamped - y_min_) / (y_max_ - y_min_);
        return offset_ + height - bottom - share * (height - top - bottom);
    }

    void text(double x, double y, const char* anchor, std::string_view what,
              std::string_view more = {}) {
        out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" {}>{}</text>\n", x,
                            y, anchor, more, escaped(what));
    }

    void rule(double x1, double y1, double x2, double y2, const char* colour) {
        out_ += fmt::format(
            "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n", x1,
            y1, x2, y2, colour);
    }

    void y_tick(double value) {
        rule(left, y_of(value), width - right, y_of(value), "#dddddd");
        text(left - 8, y_of(value) + 4, "end", figure(value));
    }

    void y_axis() {
        if (chart_.y_logarithmic) {
            for (double value = y_min_; value <= y_max_ * 1.001; value *= 10)
                y_tick(value);
        } else {
            const double step = round_step(y_max_ - y_min_);
            for (double value = y_min_; value <= y_max_ * 1.001; value += step)
                y_tick(value);
        }
        const double middle = offset_ + (top + height - bottom) / 2;
        text(20, middle, "middle", chart_.y_label,
             fmt::format("transform=\"rotate(-90 20 {:.1f})\"", middle));
    }

    void x_axis() {
        const double y = offset_ + height - bottom;
        rule(left, y, width - right, y, "#333333");
        const auto tick = [&](double at, std::string_view label) {
            rule(x_of(at), y, x_of(at), y + 5, "#333333");
            text(x_of(at), y + 20, "middle", label);
        };
        for (const auto& each : chart_.x_ticks)
            tick(each.at, each.label);
        if (chart_.x_ticks.empty()) {
            const double step = round_step(x_max_);
            for (double value = 0; value <= x_max_ * 1.001; value += step)
                tick(value, figure(value));
        }
        text((left + width - right) / 2, y + 44, "middle", chart_.x_label);
    }

    void line(const svg_chart::series& of, std::size_t index) {
        const auto* colour = colours[index % colours.size()];
        std::string points;
        for (std::size_t i = 0; i < std::min(of.x.size(), of.y.size()); ++i)
            points += fmt::format("{:.1f},{:.1f} ", x_of(of.x[i]), y_of(of.y[i]));
        out_ += fmt::format(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n", points,
            colour);
        const double y = offset_ + top + 10 + 22 * static_cast<double>(index);
        rule(width - right + 15, y, width - right + 40, y, colour);
        text(width - right + 46, y + 4, "start", of.name);
    }

    const svg_chart& chart_;
    double offset_;
    double x_max_ = 0;
    double y_min_ = 0;
    double y_max_ = 0;
    std::string out_;
};

}  // namespace

std::string to_svg(const std::vector<svg_chart>& charts) {
    const double total = height * static_cast<double>(charts.size());
    auto out = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
        "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"sans-serif\" font-size=\"12\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        width, total);
    for (std::size_t i = 0; i < charts.size(); ++i)
        out += drawing{charts[i], height * static_cast<double>(i)}.draw();
    return out + "</svg>\n";
}

}  // namespace flashsale::bench
