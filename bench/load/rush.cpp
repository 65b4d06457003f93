#include "load/rush.hpp"

#include <ostream>

#include "load/order_traffic.hpp"
#include "load/rush_report.hpp"
#include "site/shop.hpp"
#include "site/storing.hpp"

namespace flashsale::bench {

namespace {

std::vector<new_product> products_of(const rush_options& options) {
    std::vector<new_product> all(options.products);
    const auto n = static_cast<std::int64_t>(options.products);
    for (std::int64_t i = 0; i < n; ++i) {
        auto& each = all[static_cast<std::size_t>(i)];
        each.stock = options.stock / n + (i < options.stock % n);
        if (options.per_user_limit > 0) each.per_user_limit = options.per_user_limit;
    }
    return all;
}

exit_code unreachable(std::ostream& complaints, const std::string& why, const char* remedy) {
    complaints << "flashsale-bench: " << why << "\n" << remedy << "\n";
    return exit_unreachable;
}

constexpr const char* start_server = "Start the server: script/server.";
constexpr const char* start_databases =
    "Start the servers: script/stack up, then eval \"$(script/stack env)\".";

}  // namespace

exit_code run_rush(const rush_options& options, record_source& databases, std::ostream& out,
                   std::ostream& complaints) {
    progress_line progress;
    if (const auto opened = databases.open(); !opened) {
        return unreachable(complaints, opened.error(), start_databases);
    }
    sale_plan plan{.users = {},
                   .products = {},
                   .requests = options.requests,
                   .seed = options.seed,
                   .run = make_run_name()};
    auto users = create_users(options.load, plan.run, options.users, &progress);
    if (!users) return unreachable(complaints, users.error(), start_server);
    plan.users = std::move(*users);

    const auto wanted = products_of(options);
    const auto products = create_products(options.load, plan.run, wanted, &progress);
    if (!products) return unreachable(complaints, products.error(), start_server);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        plan.products.push_back({(*products)[i], wanted[i].stock, wanted[i].per_user_limit});
    }

    order_traffic orders{std::move(plan)};
    rush_report report{.options = options, .orders = orders};
    report.load = run_closed_loop(options.load, orders, &progress);
    if (report.load.started == report.load.finished || orders.totals().done() == 0) {
        return unreachable(complaints, report.load.failure, start_server);
    }

    const auto stored = wait_until_stored(databases, *products, orders.totals().accepted,
                                          options.storing_max, progress);
    progress.clear();
    if (!stored) return unreachable(complaints, stored.error(), start_databases);
    report.storing_seconds = std::chrono::duration<double>(*stored - report.load.finished).count();
    const auto record = databases.read(*products);
    if (!record) return unreachable(complaints, record.error(), start_databases);
    report.checked = add_up(orders.known(), *record);
    report.judge();

    if (!options.json_only) report.print(out);
    out << report.json() << std::endl;
    return report.holds() ? exit_holds : exit_sums_fail;
}

}  // namespace flashsale::bench
