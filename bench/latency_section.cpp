#include <spdlog/fmt/fmt.h>

#include "open_loop.hpp"
#include "sections.hpp"

namespace flashsale::bench {

namespace {

constexpr std::size_t connections = 256;

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
        const auto hot = site.add_product(plenty);
        const auto plan = site.plan({hot});
        order_stream orders{plan};
        const auto ours = pace(loop_on(site.to(), per_second, run.sizes), orders);
        site.check(orders);
        if (orders.totals().refused + orders.totals().unknown > 0) {
            throw std::runtime_error("not every order was accepted");
        }
        auto bare_plan = plan;
        bare_plan.meaningful = false;
        order_stream requests{bare_plan};
        const auto theirs = pace(loop_on(bare.to(), per_second, run.sizes), requests);
        const auto published = measure_publish_pace(site.world(), per_second, run.sizes.window);

        for (const auto& [who, why] :
             {std::pair{"ours", ours.refusal}, std::pair{"bare Beast", theirs.refusal},
              std::pair{"publish", lateness(published.lag_ns)}}) {
            if (!why.empty()) {
                found.p99.refusals.push_back(fmt::format("round {}, {}: {}", round + 1, who, why));
            }
        }
        found.p99.measured.push_back(p99_ms(ours.latency_ns));
        found.p99.limit.push_back(p99_ms(theirs.latency_ns) + p99_ms(published.latency_ns));
        found.accepted_ns.merge(ours.latency_ns);
        found.bare_ns.merge(theirs.latency_ns);
        found.publish_ns.merge(published.latency_ns);
    }
    run.close_site();
    return found;
}

}  // namespace flashsale::bench
