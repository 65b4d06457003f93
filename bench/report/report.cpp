#include "report/report.hpp"
#include "load/awake_cores.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>

#include "report/svg_chart.hpp"

namespace flashsale::bench {

namespace {

double ms(std::int64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

/// Where a quantile stands on an axis that gives each further nine the same room.
double nines(double quantile) {
    return -std::log10(1 - quantile);
}

svg_chart::series distribution(std::string name, const histogram& of) {
    svg_chart::series line{std::move(name), {}, {}};
    constexpr double last = 4;  // p99.99
    for (double x = 0; x <= last + 0.001; x += 0.05) {
        const double quantile = 1 - std::pow(10, -x);
        // A quantile that less than one value stands for is no measurement.
        if ((1 - quantile) * static_cast<double>(of.count()) < 1) break;
        line.x.push_back(x);
        line.y.push_back(ms(of.at(quantile)));
    }
    return line;
}

svg_chart::series per_second(std::string name, const std::vector<std::uint64_t>& slices,
                             double slice_seconds) {
    svg_chart::series line{std::move(name), {}, {}};
    for (std::size_t i = 0; i < slices.size(); ++i) {
        line.x.push_back((static_cast<double>(i) + 0.5) * slice_seconds);
        line.y.push_back(static_cast<double>(slices[i]) / slice_seconds);
    }
    return line;
}

boost::json::object latency_json(const histogram& of) {
    return {{"count", of.count()},    {"p50", ms(of.at(0.5))},     {"p90", ms(of.at(0.9))},
            {"p99", ms(of.at(0.99))}, {"p99.9", ms(of.at(0.999))}, {"p99.99", ms(of.at(0.9999))},
            {"max", ms(of.max())}};
}

boost::json::array slices_json(const std::vector<std::uint64_t>& slices) {
    boost::json::array all;
    for (const auto n : slices)
        all.push_back(n);
    return all;
}

/// Limits of the servers, and what is compared with them.
constexpr std::array<std::string_view, 4> stack_sections{"limits", "p99", "gates", "compare"};

}  // namespace

std::span<const std::string_view> section_names() {
    static constexpr std::array<std::string_view, 14> all{
        "limits",        "refusals",    "accepted_512", "accepted_64", "stored",
        "many_products", "payments",    "expiry",       "crowd",       "p99",
        "gates",         "idle_memory", "compare",      "sale"};
    return all;
}

full_report make_report(bench_run& run, const std::vector<std::string>& only) {
    const bool embedded = run.where.folder.has_value();
    const auto wanted = [&](std::string_view name) {
        if (embedded && std::ranges::find(stack_sections, name) != stack_sections.end()) {
            return false;
        }
        return only.empty() || std::ranges::find(only, name) != only.end();
    };
    const double accepted_min = embedded ? 0.45 : 0.40, stored_min = embedded ? 0.35 : 0.25;
    full_report all;
    const awake_cores awake;
    all.facts = machine_facts(run.where);
    all.facts.emplace_back("cores sleep", awake.held() ? "no" : "as they like");
    all.compared = run.sizes.compared;
    all.embedded = embedded;
    if (wanted("limits")) {
        all.limits = measure_limits(run.where, run.sizes.limits, run.progress);
    }
    if (wanted("refusals")) all.bars.push_back(measure_refusals(run));
    if (wanted("accepted_512")) all.bars.push_back(measure_accepted(run, 512, accepted_min));
    if (wanted("accepted_64")) all.bars.push_back(measure_accepted(run, 64, 0.20));
    if (wanted("stored")) all.bars.push_back(measure_stored(run, stored_min));
    if (wanted("many_products")) all.bars.push_back(measure_many_products(run));
    if (wanted("crowd")) all.bars.push_back(measure_crowd(run));
    if (wanted("payments")) all.bars.push_back(measure_payments(run));
    if (wanted("expiry")) std::ranges::move(measure_expiry(run), std::back_inserter(all.bars));
    if (wanted("p99")) {
        // Anew: half of what the machine could do minutes ago may be nearly all that it can now.
        const double accepted = median(measure_accepted(run, 512, accepted_min).measured);
        all.latency = measure_latency(run, std::floor(std::max(100.0, accepted / 2)));
        all.bars.push_back(all.latency.p99);
    }
    if (wanted("gates")) all.bars.push_back(measure_gates(run));
    if (wanted("idle_memory")) all.bars.push_back(measure_idle_memory(run));
    for (const char* gate : {"database", "redis", "memory"}) {
        if (wanted("compare")) all.gates.push_back(sell_through(run, gate, run.sizes.compared));
    }
    if (wanted("sale")) all.sale = watch_sale(run);
    run.finish();
    run.progress.clear();
    return all;
}

std::string report_text(const full_report& report) {
    std::string out = facts_table(report.facts);
    if (!report.embedded) {
        out += "\nLimits of this machine, each part alone\n\n" + limits_table(report.limits) +
               "\n" + gates_table(report.gates, report.compared);
    }
    return out + "\nThe speed\n\n" + bars_table(report.bars) + "\n" + costs_table(report.bars);
}

boost::json::object report_json(const full_report& report) {
    const auto& sale = report.sale;
    return {{"machine", facts_json(report.facts)},
            {"holds", all_hold(report.bars)},
            {"bars", bars_json(report.bars)},
            {"limits", limits_json(report.limits)},
            {"gates", gates_json(report.gates)},
            {"latency_ms",
             {{"per_second", report.latency.per_second},
              {"accepted", latency_json(report.latency.accepted_ns)},
              {"bare", latency_json(report.latency.bare_ns)},
              {"publish", latency_json(report.latency.publish_ns)}}},
            {"sale",
             {{"slice_seconds", sale.clients.slice_seconds},
              {"accepted", slices_json(sale.clients.accepted)},
              {"refused", slices_json(sale.clients.refused)},
              {"stored", slices_json(sale.stored)},
              {"accepted_latency_ms", latency_json(sale.accepted_ns)},
              {"refused_latency_ms", latency_json(sale.refused_ns)}}}};
}

std::string report_svg(const full_report& report) {
    const auto& latency = report.latency;
    std::vector<svg_chart> charts;
    charts.push_back(
        {.title = "Latency at " + std::to_string(std::llround(latency.per_second)) +
                  " arrivals a second, open loop",
         .x_label = "percentile",
         .y_label = "milliseconds",
         .y_logarithmic = true,
         .y_min = 0.01,
         .x_ticks = {{0, "0"}, {nines(0.5), "50"}, {1, "90"}, {2, "99"}, {3, "99.9"}, {4, "99.99"}},
         .lines = {distribution("accepted", latency.accepted_ns),
                   distribution("bare Beast", latency.bare_ns),
                   distribution("one publish", latency.publish_ns)}});
    const auto& sale = report.sale;
    const double slice = sale.clients.slice_seconds;
    charts.push_back({.title = "A sale over time, 256 connections, closed loop",
                      .x_label = "seconds since the first request",
                      .y_label = "orders per second",
                      .lines = {per_second("accepted", sale.clients.accepted, slice),
                                per_second("refused", sale.clients.refused, slice),
                                per_second("stored", sale.stored, slice)}});
    return to_svg(charts);
}

}  // namespace flashsale::bench
