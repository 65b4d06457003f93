#include "load/rate.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <boost/json.hpp>
#include <ostream>

#include "report/json_text.hpp"
#include "load/order_stream.hpp"
#include "site/shop.hpp"
#include "site/storing.hpp"

namespace flashsale::bench {

namespace {

struct quantile {
    const char* name;
    double of;
};
constexpr std::array quantiles{quantile{"p50", 0.5},       quantile{"p90", 0.9},
                               quantile{"p99", 0.99},      quantile{"p99.9", 0.999},
                               quantile{"p99.99", 0.9999}, quantile{"max", 1}};

double milliseconds(std::int64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

boost::json::object percentiles(const histogram& of) {
    boost::json::object all;
    for (const auto& each : quantiles)
        all[each.name] = milliseconds(each.of == 1 ? of.max() : of.at(each.of));
    return all;
}

void print(std::ostream& out, const char* name, const histogram& of) {
    if (of.count() == 0) return;
    out << fmt::format("  {:<10}", name);
    for (const auto& each : quantiles)
        out << fmt::format(" {:>9.2f}", milliseconds(each.of == 1 ? of.max() : of.at(each.of)));
    out << '\n';
}

exit_code stop(std::ostream& complaints, const std::string& why) {
    complaints << "flashsale-bench: " << why << "\n";
    return exit_unreachable;
}

void report(const rate_options& options, const order_stream::tally& counts,
            const open_loop_result& ran, std::ostream& out) {
    const auto late = lateness(ran.lag_ns, options.lag_p99_max);
    boost::json::object all{
        {"rate", options.loop.per_second}, {"seconds", ran.seconds},
        {"counted", ran.counted},          {"accepted", counts.accepted},
        {"refused", counts.refused},       {"unknown", counts.unknown},
        {"generator_late", !late.empty()}, {"generator_lag_ms", percentiles(ran.lag_ns)}};
    if (late.empty()) {
        all["accepted_latency_ms"] = percentiles(counts.accepted_ns);
        all["refused_latency_ms"] = percentiles(counts.refused_ns);
    }
    if (!options.json_only) {
        out << fmt::format(
            "{:.0f} requests/s for {:.1f} s, {} connections: accepted {}, refused {}, unknown {}\n"
            "Latency in ms, from the moment at which a request should have been sent:\n\n"
            "             ",
            options.loop.per_second, ran.seconds, options.loop.load.connections, counts.accepted,
            counts.refused, counts.unknown);
        for (const auto& each : quantiles)
            out << fmt::format("{:>9} ", each.name);
        out << '\n';
        if (late.empty()) {
            print(out, "accepted", counts.accepted_ns);
            print(out, "refused", counts.refused_ns);
        }
        print(out, "generator", ran.lag_ns);
        out << "\n" << (late.empty() ? "The sums hold." : "No latencies: " + late + ".") << "\n";
    }
    out << to_text(all) << std::endl;
}

}  // namespace

exit_code run_rate(const rate_options& options, record_source& databases, std::ostream& out,
                   std::ostream& complaints) {
    progress_line progress;
    if (const auto opened = databases.open(); !opened) return stop(complaints, opened.error());
    const auto run = make_run_name();
    const auto& load = options.loop.load;
    const auto users = create_users(load, run, options.users, &progress);
    if (!users) return stop(complaints, users.error());
    const auto seconds =
        std::chrono::duration<double>(options.loop.warm_up + options.loop.length).count();
    const auto stock = static_cast<std::int64_t>(options.loop.per_second * seconds * 2) + 100;
    const auto products = create_products(load, run, {{stock, {}}, {0, {}}}, &progress);
    if (!products) return stop(complaints, products.error());

    order_stream orders{{.users = *users,
                         .products = {{products->at(0), stock, {}}},
                         .run = run,
                         .sold_out = {products->at(1), 0, {}},
                         .sold_out_percent = options.refused_percent}};
    const auto ran = run_open_loop(options.loop, orders, [&] { orders.restart(); }, &progress);
    if (!ran.failure.empty()) return stop(complaints, ran.failure);
    const auto counts = orders.totals();

    const auto known = orders.known();
    const auto stored = wait_until_stored(databases, *products, known.accepted.size(),
                                          options.storing_max, progress);
    progress.clear();
    if (!stored) return stop(complaints, stored.error());
    const auto record = databases.read(*products);
    if (!record) return stop(complaints, record.error());
    const auto sums = add_up(known, *record);
    if (!sums.hold()) {
        complaints << "flashsale-bench: the sums over the databases do not hold\n";
        for (const auto& finding : sums.findings)
            complaints << "  " << finding << "\n";
        return exit_sums_fail;
    }
    report(options, counts, ran, out);
    return lateness(ran.lag_ns, options.lag_p99_max).empty() ? exit_holds : exit_late;
}

}  // namespace flashsale::bench
