#pragma once

#include "machine.hpp"
#include "sections.hpp"

namespace flashsale::bench {

struct full_report {
    std::vector<std::pair<std::string, std::string>> facts;
    std::vector<limit_row> limits;
    std::vector<bar> bars;
    std::vector<gate_row> gates;
    latency_section latency;
    sale_over_time sale;
    compare_sizes compared;
};

/// Everything, one after the other: minutes.
full_report make_report(bench_run& run);

std::string report_text(const full_report& report);
boost::json::object report_json(const full_report& report);
std::string report_svg(const full_report& report);

}  // namespace flashsale::bench
