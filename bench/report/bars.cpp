#include "report/bars.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace flashsale::bench {

namespace {

std::string figure(double value) {
    return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.2f}", value);
}

boost::json::array numbers(const std::vector<double>& values) {
    boost::json::array all;
    for (const auto value : values)
        all.push_back(value);
    return all;
}

}  // namespace

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    const auto middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double bar::ratio() const {
    const double of = median(limit);
    return of > 0 ? median(measured) / of : 0;
}

const std::vector<bar::cost>* bar::median_costs() const {
    const auto at = std::ranges::find(measured, median(measured)) - measured.begin();
    const auto round = std::min(static_cast<std::size_t>(at), costs.size() - 1);
    return costs.empty() ? nullptr : &costs[round];
}

bool bar::holds() const {
    if (!refusals.empty() || measured.empty() || limit.empty() || median(limit) <= 0) return false;
    const double counts = of_measured ? median(measured) : ratio();
    return must_be == rule::at_least ? counts >= threshold : counts <= threshold;
}

std::vector<bar::cost> costs_of(const std::vector<cpu_share>& cpu, std::uint64_t orders) {
    std::vector<bar::cost> all;
    for (const auto& [process, seconds] : cpu) {
        if (orders > 0) all.push_back({process, seconds * 1e6 / static_cast<double>(orders)});
    }
    return all;
}

bool all_hold(const std::vector<bar>& bars) {
    return std::ranges::all_of(bars, &bar::holds);
}

std::string bars_table(const std::vector<bar>& bars) {
    std::string out = fmt::format("{:<46} {:>10} {:>10} {:<12} {:>7} {:>9}  {:<5} {}\n", "",
                                  "measured", "limit", "", "ratio", "bar", "", "the limit");
    for (const auto& each : bars) {
        const auto threshold =
            (each.must_be == bar::rule::at_least ? ">= " : "<= ") + figure(each.threshold);
        out += fmt::format("{:<46} {:>10} {:>10} {:<12} {:>7} {:>9}  {:<5} {}\n", each.what,
                           figure(median(each.measured)), figure(median(each.limit)), each.unit,
                           figure(each.ratio()), threshold, each.holds() ? "holds" : "NOT",
                           each.limit_name);
        for (const auto& why : each.refusals)
            out += "    " + why + "\n";
    }
    return out;
}

std::string costs_table(const std::vector<bar>& bars) {
    std::string out = "CPU microseconds per order\n";
    for (const auto& each : bars) {
        const auto* costs = each.median_costs();
        if (costs == nullptr) continue;
        out += fmt::format("{:<46}", each.what);
        for (const auto& [process, us] : *costs)
            out += fmt::format("  {} {:.1f}", process, us);
        out += '\n';
    }
    return out;
}

boost::json::array bars_json(const std::vector<bar>& bars) {
    boost::json::array all;
    for (const auto& each : bars) {
        boost::json::object costs;
        if (const auto* found = each.median_costs()) {
            for (const auto& [process, us] : *found)
                costs[process] = us;
        }
        boost::json::array refusals;
        for (const auto& why : each.refusals)
            refusals.push_back(boost::json::string{why});
        all.push_back(boost::json::object{
            {"name", each.name},
            {"what", each.what},
            {"unit", each.unit},
            {"measured", median(each.measured)},
            {"limit", median(each.limit)},
            {"limit_name", each.limit_name},
            {"ratio", each.ratio()},
            {"must_be", each.must_be == bar::rule::at_least ? "at_least" : "at_most"},
            {"threshold", each.threshold},
            {"threshold_of", each.of_measured ? "measured" : "ratio"},
            {"holds", each.holds()},
            {"measured_rounds", numbers(each.measured)},
            {"limit_rounds", numbers(each.limit)},
            {"refusals", std::move(refusals)},
            {"cpu_us_per_order", std::move(costs)}});
    }
    return all;
}

}  // namespace flashsale::bench
