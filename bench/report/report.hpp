#pragma once

#include "report/machine.hpp"
#include "report/sections.hpp"

namespace flashsale::bench {

struct full_report {
    bool embedded = false;  ///< what concerns servers was left out
    std::vector<std::pair<std::string, std::string>> facts;
    std::vector<limit_row> limits;
    std::vector<bar> bars;
    std::vector<gate_row> gates;
    latency_section latency;
    sale_over_time sale;
    compare_sizes compared;
};

/// The names that may be chosen from: those of the bars, and limits, compare and sale.
std::span<const std::string_view> section_names();

/// The sections named, or all, one after the other: minutes.
full_report make_report(bench_run& run, const std::vector<std::string>& only);

std::string report_text(const full_report& report);
boost::json::object report_json(const full_report& report);
std::string report_svg(const full_report& report);

}  // namespace flashsale::bench
