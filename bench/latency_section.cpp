#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <iterator>

#include "open_loop.hpp"
#include "sections.hpp"

namespace flashsale::bench {

namespace {

constexpr std::size_t connections = 256;
// A generator that was late once gets another chance, and not a third of the report's time.
constexpr int late_rounds_max = 2;

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

struct paced_orders {
    histogram latency_ns;
    std::string refusal;
};

paced_orders pace(const open_loop_options& loop, order_stream& orders) {
    const auto ran = run_open_loop(loop, orders, [&orders] { orders.restart(); });
    if (!ran.failure.empty()) throw std::runtime_error(ran.failure);
    auto all = orders.totals().accepted_ns;
    all.merge(orders.totals().refused_ns);
    return {std::move(all), lateness(ran.lag_ns)};
}

struct latency_round {
    paced_orders ours;
    paced_orders bare;
    publish_pace published;
    std::vector<std::string> refusals;
};

latency_round measure_round(bench_run& run, sale_site& site, bare_site& bare, double per_second) {
    const auto plan = site.plan({site.add_product(plenty)});
    order_stream orders{plan};
    latency_round one{.ours = pace(loop_on(site.to(), per_second, run.sizes), orders),
                      .bare = {},
                      .published = {},
                      .refusals = {}};
    site.check(orders);
    auto bare_plan = plan;
    bare_plan.meaningful = false;
    order_stream requests{bare_plan};
    one.bare = pace(loop_on(bare.to(), per_second, run.sizes), requests);
    one.published = measure_publish_pace(site.world(), per_second, run.sizes.window);

    const auto& counts = orders.totals();
    if (counts.refused + counts.unknown > 0) {
        one.refusals.push_back(fmt::format("{} orders were refused and {} are unknown",
                                           counts.refused, counts.unknown));
    }
    for (const auto& [who, why] :
         {std::pair{"ours", one.ours.refusal}, std::pair{"bare Beast", one.bare.refusal},
          std::pair{"publish", lateness(one.published.lag_ns)}}) {
        if (!why.empty()) one.refusals.push_back(fmt::format("{}: {}", who, why));
    }
    return one;
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
    for (int round = 0; round < run.sizes.rounds; ++round) {
        run.progress.show(fmt::format("latency at {:.0f}/s: round {}", per_second, round + 1));
        auto one = measure_round(run, site, bare, per_second);
        for (int again = 0; again < late_rounds_max && !one.refusals.empty(); ++again)
            one = measure_round(run, site, bare, per_second);
        std::ranges::move(one.refusals, std::back_inserter(found.p99.refusals));
        found.p99.measured.push_back(p99_ms(one.ours.latency_ns));
        found.p99.limit.push_back(p99_ms(one.bare.latency_ns) + p99_ms(one.published.latency_ns));
        found.accepted_ns.merge(one.ours.latency_ns);
        found.bare_ns.merge(one.bare.latency_ns);
        found.publish_ns.merge(one.published.latency_ns);
    }
    run.close_site();
    return found;
}

}  // namespace flashsale::bench
