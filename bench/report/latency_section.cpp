#include <spdlog/fmt/fmt.h>

#include "load/open_loop.hpp"
#include "report/sections.hpp"

namespace flashsale::bench {

namespace {

constexpr std::size_t connections = 256;
// A generator that was late gets another chance, and not a third of the report's time.
constexpr int late_tries_max = 5;

open_loop_options loop_on(const target& to, double per_second, const report_sizes& sizes) {
    open_loop_options loop;
    loop.load.targets = {to};
    loop.load.connections = connections;
    loop.per_second = per_second;
    loop.warm_up = sizes.warm_up;
    loop.length = sizes.window;
    return loop;
}

double p99_ms(const histogram& of) {
    return static_cast<double>(of.at(0.99)) / 1e6;
}

/// One of the three that a round is made of.
struct paced {
    histogram latency_ns;
    histogram lag_ns;
    std::string refusal = {};
};

paced pace(const open_loop_options& loop, order_stream& orders) {
    const auto ran = run_open_loop(loop, orders, [&orders] { orders.restart(); });
    if (!ran.failure.empty()) throw std::runtime_error(ran.failure);
    auto all = orders.totals().accepted_ns;
    all.merge(orders.totals().refused_ns);
    return {std::move(all), ran.lag_ns};
}

paced pace_ours(bench_run& run, sale_site& site, double per_second) {
    order_stream orders{site.plan({site.add_product(plenty)})};
    auto ours = pace(loop_on(site.to(), per_second, run.sizes), orders);
    site.check(orders);
    const auto& counts = orders.totals();
    if (counts.refused + counts.unknown > 0) {
        ours.refusal = fmt::format("{} orders were refused and {} are unknown", counts.refused,
                                   counts.unknown);
    }
    return ours;
}

/// The same requests.
paced pace_bare(bench_run& run, bare_site& bare, stream_plan plan, double per_second) {
    plan.meaningful = false;
    order_stream requests{std::move(plan)};
    return pace(loop_on(bare.to(), per_second, run.sizes), requests);
}

paced pace_publish(bench_run& run, sale_site& site, double per_second) {
    const auto published = measure_publish_pace(site.world(), per_second, run.sizes.window);
    return {published.latency_ns, published.lag_ns};
}

/// Again as long as the generator was late, but not for ever.
template <class Measure>
paced in_time(std::string_view who, bar& row, const Measure& measure) {
    for (int tries = 1;; ++tries) {
        auto one = measure();
        const auto late = lateness(one.lag_ns);
        if (!late.empty() && tries < late_tries_max) continue;
        for (const auto& why : {one.refusal, late}) {
            if (!why.empty()) row.refusals.push_back(fmt::format("{}: {}", who, why));
        }
        return one;
    }
}

}  // namespace

latency_section measure_latency(bench_run& run, double per_second) {
    latency_section found;
    found.per_second = per_second;
    found.p99 = {.name = "p99",
                 .what = fmt::format("p99 of accepted, open loop at {:.0f}/s", per_second),
                 .unit = "ms",
                 .limit_name = "bare Beast's p99 + a confirmed publish's p99, at that rate",
                 .must_be = bar::rule::at_most,
                 .threshold = 5};
    auto& site = run.open_site();
    bare_site bare{acceptance_bytes(site)};
    const auto plan = site.plan({site.add_product(plenty)});
    for (int round = 0; round < run.sizes.rounds; ++round) {
        run.progress.show(fmt::format("latency at {:.0f}/s: round {}", per_second, round + 1));
        const auto ours =
            in_time("ours", found.p99, [&] { return pace_ours(run, site, per_second); });
        const auto plain = in_time("bare Beast", found.p99,
                                   [&] { return pace_bare(run, bare, plan, per_second); });
        const auto published =
            in_time("publish", found.p99, [&] { return pace_publish(run, site, per_second); });
        found.p99.measured.push_back(p99_ms(ours.latency_ns));
        found.p99.limit.push_back(p99_ms(plain.latency_ns) + p99_ms(published.latency_ns));
        found.accepted_ns.merge(ours.latency_ns);
        found.bare_ns.merge(plain.latency_ns);
        found.publish_ns.merge(published.latency_ns);
    }
    run.close_site();
    return found;
}

}  // namespace flashsale::bench
