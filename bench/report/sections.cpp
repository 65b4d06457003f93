#include "report/sections.hpp"

#include <spdlog/fmt/fmt.h>

namespace flashsale::bench {

namespace {

/// One window of orders that can all be had, its books checked.
window_result accept_window(bench_run& run, sale_site& site, std::vector<sold_product> products,
                            std::size_t connections, bar& row) {
    order_stream orders{site.plan(std::move(products))};
    site.settle(run.sizes.settling_max);
    auto ran = site.run(orders, connections, run.sizes.one_window());
    site.check(orders);
    if (ran.counts.refused + ran.counts.unknown > 0) {
        row.refusals.push_back(
            fmt::format("with {} connections, of {} orders that could all be had, {} were refused "
                        "({} with 503) "
                        "and {} are unknown",
                        connections, ran.counts.done(), ran.counts.refused, ran.counts.busy,
                        ran.counts.unknown));
    }
    return ran;
}

/// The same requests at the bare server.
double bare_rate(bench_run& run, const sale_site& site, bare_site& bare, const stream_plan& like,
                 std::size_t connections) {
    auto plan = like;
    plan.meaningful = false;
    plan.requests_max = SIZE_MAX;
    order_stream requests{std::move(plan)};
    site.settle(run.sizes.settling_max);
    return bare.run(requests, connections, run.sizes.one_window()).answered_per_second();
}

void note(bar& row, const window_result& ran, std::uint64_t orders, double rate) {
    row.measured.push_back(rate);
    row.costs.push_back(costs_of(ran.cpu, orders));
}

}  // namespace

report_sizes report_sizes::smoke() {
    using std::chrono::milliseconds;
    report_sizes small;
    small.rounds = 1;
    small.warm_up = milliseconds{100};
    small.window = milliseconds{300};
    small.settling_max = {};
    small.one_site = true;
    small.users = 2'000;
    small.replays = 200;
    small.stored_orders = 2'000;
    small.payments = 500;
    small.holds = 500;
    small.hold_window = std::chrono::seconds{6};
    small.expiry_load = milliseconds{1'000};
    small.many_products = 20;
    small.crowd = 200;
    small.idle_connections = 200;
    small.plotted_stock = 2'000;
    small.plotted = milliseconds{1'000};
    small.limits = {.window = milliseconds{300},
                    .reservations = 2'000,
                    .publishing = milliseconds{300},
                    .statements = 3,
                    .syncs = 20,
                    .connections = {64, 256}};
    small.compared = {.stock = 100, .requests = 400, .connections = 16};
    return small;
}

bench_run::bench_run(workplace on, report_sizes large, progress_line& line)
    : where{std::move(on)}, sizes{std::move(large)}, progress{line} {}

sale_site& bench_run::open_site() {
    if (!site_) site_ = std::make_unique<sale_site>(where, sizes.users, progress);
    return *site_;
}

void bench_run::close_site() {
    if (!sizes.one_site) finish();
}

void bench_run::finish() {
    if (!site_) return;
    site_->close();
    site_.reset();
}

bar measure_refusals(bench_run& run) {
    constexpr std::size_t connections = 256;
    bar row{.name = "refusals",
            .what = "sold-out refusals, 9:1 with replays, 256 connections",
            .unit = "/s",
            .limit_name = "bare Beast, same requests",
            .threshold = 0.90};
    auto& site = run.open_site();
    const auto gone = site.add_product(static_cast<std::int64_t>(run.sizes.replays));
    auto selling = site.plan({gone});
    selling.requests_max = run.sizes.replays;
    order_stream sold{selling};
    site.run(sold, 64, {.warm_up = {}, .length = {}});
    if (sold.totals().accepted != run.sizes.replays) {
        throw std::runtime_error("a product could not be sold out");
    }
    bare_site bare{refusal_bytes(site)};
    for (int round = 0; round < run.sizes.rounds; ++round) {
        run.progress.show(fmt::format("refusals: round {}", round + 1));
        auto plan = site.plan({gone});
        plan.sold_out = gone;
        plan.sold_out_percent = 90;
        plan.replay_percent = 10;
        plan.replays = sold.placed(run.sizes.replays);
        order_stream asking{plan};
        site.settle(run.sizes.settling_max);
        const auto ran = site.run(asking, connections, run.sizes.one_window());
        const order_stream* const both[] = {&sold, &asking};
        site.check(both);
        if (ran.counts.replayed == 0 || ran.counts.unknown + ran.counts.busy > 0) {
            row.refusals.push_back(fmt::format("{} answers are unknown, {} are 503, {} are replays",
                                               ran.counts.unknown, ran.counts.busy,
                                               ran.counts.replayed));
        }
        note(row, ran, ran.counts.done(), ran.answered_per_second());
        row.limit.push_back(bare_rate(run, site, bare, plan, connections));
    }
    run.close_site();
    return row;
}

bar measure_accepted(bench_run& run, std::size_t connections, double threshold) {
    bar row{.name = fmt::format("accepted_{}", connections),
            .what = fmt::format("accepted, one hot product, {} connections", connections),
            .unit = "/s",
            .limit_name = "bare Beast, same requests",
            .threshold = threshold};
    auto& site = run.open_site();
    bare_site bare{acceptance_bytes(site)};
    for (int round = 0; round < run.sizes.rounds; ++round) {
        run.progress.show(
            fmt::format("accepted, {} connections: round {}", connections, round + 1));
        const auto hot = site.add_product(plenty);
        const auto ran = accept_window(run, site, {hot}, connections, row);
        note(row, ran, ran.counts.accepted, ran.accepted_per_second());
        row.limit.push_back(bare_rate(run, site, bare, site.plan({hot}), connections));
    }
    run.close_site();
    return row;
}

bar measure_stored(bench_run& run, double threshold) {
    constexpr std::size_t connections = 512;
    bar row{
        .name = "stored",
        .what = fmt::format("stored, first request to last of {} rows", run.sizes.stored_orders),
        .unit = "/s",
        .limit_name = "bare Beast, same requests",
        .threshold = threshold};
    auto& site = run.open_site();
    bare_site bare{acceptance_bytes(site)};
    for (int round = 0; round < run.sizes.rounds; ++round) {
        run.progress.show(fmt::format("stored: round {}", round + 1));
        const auto hot = site.add_product(plenty);
        auto plan = site.plan({hot});
        plan.requests_max = run.sizes.stored_orders;
        order_stream orders{plan};
        site.settle(run.sizes.settling_max);
        const auto before = site.who().sample();
        const auto ran = site.run(orders, connections, {.warm_up = {}, .length = {}});
        const auto last = site.wait_until_stored(orders);
        const auto after = site.who().sample();
        site.check(orders);
        const double seconds = std::chrono::duration<double>(last - ran.started).count();
        if (orders.totals().accepted != run.sizes.stored_orders) {
            row.refusals.push_back("not every order was accepted");
        }
        row.measured.push_back(static_cast<double>(run.sizes.stored_orders) / seconds);
        row.costs.push_back(
            costs_of(cpu_between(site.who(), before, after), run.sizes.stored_orders));
        row.limit.push_back(bare_rate(run, site, bare, plan, connections));
    }
    run.close_site();
    return row;
}

bar measure_many_products(bench_run& run) {
    constexpr std::size_t connections = 512;
    bar row{.name = "many_products",
            .what = fmt::format("accepted, {} products, 512 connections", run.sizes.many_products),
            .unit = "/s",
            .limit_name = "one hot product",
            .threshold = 0.7};
    auto& site = run.open_site();
    for (int round = 0; round < run.sizes.rounds; ++round) {
        run.progress.show(fmt::format("many products: round {}", round + 1));
        const auto one = accept_window(run, site, {site.add_product(plenty)}, connections, row);
        const auto products = site.add_products(run.sizes.many_products, plenty);
        const auto many = accept_window(run, site, products, connections, row);
        note(row, many, many.counts.accepted, many.accepted_per_second());
        row.limit.push_back(one.accepted_per_second());
    }
    run.close_site();
    return row;
}

bar measure_crowd(bench_run& run) {
    bar row{.name = "crowd",
            .what = fmt::format("accepted, {} connections", run.sizes.crowd),
            .unit = "/s",
            .limit_name = "64 connections",
            .threshold = 0.7};
    auto& site = run.open_site();
    for (int round = 0; round < run.sizes.rounds; ++round) {
        run.progress.show(fmt::format("a crowd: round {}", round + 1));
        const auto few = accept_window(run, site, {site.add_product(plenty)}, 64, row);
        const auto many =
            accept_window(run, site, {site.add_product(plenty)}, run.sizes.crowd, row);
        note(row, many, many.counts.accepted, many.accepted_per_second());
        row.limit.push_back(few.accepted_per_second());
    }
    run.close_site();
    return row;
}

}  // namespace flashsale::bench
