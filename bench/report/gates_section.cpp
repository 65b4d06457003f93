#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>

#include "report/sections.hpp"

namespace flashsale::bench {

namespace {

variables gate(const std::string& name) {
    return {{"FLASHSALE_STOCK__GATE", name}};
}

window_result window_on(bench_run& run, sale_site& site) {
    order_stream orders{site.plan({site.add_product(plenty)})};
    auto ran = site.run(orders, 64, run.sizes.one_window());
    site.check(orders);
    return ran;
}

}  // namespace

bar measure_gates(bench_run& run) {
    bar row{.name = "gates",
            .what = "Redis gate, one hot product, 64 connections",
            .unit = "/s",
            .limit_name = "database gate",
            .threshold = 10};
    sale_site redis{run.where, run.sizes.users, run.progress, gate("redis")};
    sale_site database{run.where, run.sizes.users, run.progress, gate("database")};
    for (int round = 0; round < run.sizes.rounds; ++round) {
        run.progress.show(fmt::format("gates: round {}", round + 1));
        const auto ours = window_on(run, redis);
        row.measured.push_back(ours.accepted_per_second());
        row.costs.push_back(costs_of(ours.cpu, ours.counts.accepted));
        row.limit.push_back(window_on(run, database).accepted_per_second());
    }
    redis.close();
    database.close();
    return row;
}

gate_row sell_through(bench_run& run, const std::string& name, const compare_sizes& sizes) {
    run.progress.show("a sale through the gate '" + name + "'");
    sale_site site{run.where, run.sizes.users, run.progress, gate(name)};
    auto plan = site.plan({site.add_product(sizes.stock)});
    plan.requests_max = sizes.requests;
    order_stream orders{plan};
    const auto conflicts = site.metric("flashsale_gate_conflicts_total");
    const auto ran = site.run(orders, sizes.connections, {.warm_up = {}, .length = {}});
    const auto& counts = orders.totals();
    gate_row row{.gate = name,
                 .refused_per_second = ran.refused_per_second(),
                 .sold = counts.accepted,
                 .unsold = sizes.stock - static_cast<std::int64_t>(counts.accepted),
                 .conflicts = site.metric("flashsale_gate_conflicts_total") - conflicts,
                 .high_traffic = counts.high_traffic,
                 .seconds = ran.seconds};
    std::size_t selling = 0;
    for (std::size_t i = 0; i < ran.over_time.accepted.size(); ++i) {
        if (ran.over_time.accepted[i] > 0) selling = i + 1;
    }
    const double until =
        std::min(ran.seconds, static_cast<double>(selling) * ran.over_time.slice_seconds);
    if (until > 0) row.accepted_per_second = static_cast<double>(counts.accepted) / until;
    site.check(orders);
    site.close();
    run.progress.clear();
    return row;
}

std::string gates_table(const std::vector<gate_row>& rows, const compare_sizes& sizes) {
    auto out = fmt::format(
        "The same sale through each gate: {} units, {} requests, {} connections\n"
        "{:<10} {:>11} {:>11} {:>8} {:>8} {:>10} {:>13} {:>8}\n",
        sizes.stock, sizes.requests, sizes.connections, "gate", "accepted/s", "refused/s", "sold",
        "unsold", "conflicts", "high_traffic", "seconds");
    for (const auto& row : rows) {
        out += fmt::format("{:<10} {:>11.0f} {:>11.0f} {:>8} {:>8} {:>10} {:>13} {:>8.2f}\n",
                           row.gate, row.accepted_per_second, row.refused_per_second, row.sold,
                           row.unsold, row.conflicts, row.high_traffic, row.seconds);
    }
    return out;
}

boost::json::array gates_json(const std::vector<gate_row>& rows) {
    boost::json::array all;
    for (const auto& row : rows) {
        all.push_back(boost::json::object{{"gate", row.gate},
                                          {"accepted_per_second", row.accepted_per_second},
                                          {"refused_per_second", row.refused_per_second},
                                          {"sold", row.sold},
                                          {"unsold", row.unsold},
                                          {"conflicts", row.conflicts},
                                          {"high_traffic", row.high_traffic},
                                          {"seconds", row.seconds}});
    }
    return all;
}

}  // namespace flashsale::bench
