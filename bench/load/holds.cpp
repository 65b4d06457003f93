#include "load/holds.hpp"

#include <ostream>
#include <thread>

#include "load/hold_traffic.hpp"
#include "load/holds_report.hpp"
#include "site/shop.hpp"
#include "site/storing.hpp"

namespace flashsale::bench {

namespace {

// So many grants per unit are divided into thirds. A third of them is paid for, so that most units
// come back once, and some twice or more.
constexpr std::size_t mixed_per_unit = 2;
constexpr std::chrono::milliseconds look_interval{200};

/// It pays for all units: so one that is paid for twice by mistake is paid for, and found.
std::int64_t starting_balance(const holds_options& options) {
    return product_price * options.stock;
}

exit_code unreachable(std::ostream& complaints, const std::string& why, const char* remedy) {
    complaints << "flashsale-bench: " << why << "\n" << remedy << "\n";
    return exit_unreachable;
}

constexpr const char* start_server = "Start the server: script/server.";
constexpr const char* start_databases =
    "Start the servers: script/stack up, then eval \"$(script/stack env)\".";

/// Reads until every order is paid for, or has ended and returned its units, or the limit passes.
std::expected<life_record, std::string> wait_until_at_rest(life_source& lives,
                                                           const hold_traffic& orders,
                                                           std::chrono::milliseconds limit,
                                                           progress_line& progress) {
    const auto end = clock::now() + limit;
    const auto granted = orders.accepted().size();
    while (true) {
        auto now = lives.read(orders.plan().product.id, orders.plan().users);
        if (!now || at_rest(*now, granted) || clock::now() > end) return now;
        progress.show("returned: " + std::to_string(now->returned) + " units");
        std::this_thread::sleep_for(look_interval);
    }
}

sale known_orders(const hold_traffic& orders, std::int64_t returned) {
    // What has come back was for sale once more. The limit is of what a user has at once, which is
    // added up with the lives.
    const auto& plan = orders.plan();
    return {.products = {{plan.product.id, plan.product.supplied + returned, {}}},
            .accepted = orders.accepted(),
            .unsure = orders.unsure()};
}

held_sale known_lives(const holds_options& options, const hold_traffic& orders) {
    const auto& plan = orders.plan();
    return {.stock = plan.product.supplied,
            .price = product_price,
            .starting_balance = starting_balance(options),
            .per_user_limit = plan.product.per_user_limit,
            .users = plan.users,
            .orders = orders.lives()};
}

}  // namespace

exit_code run_holds(const holds_options& options, record_source& databases, life_source& lives,
                    std::ostream& out, std::ostream& complaints) {
    progress_line progress;
    for (const auto& opened : {databases.open(), lives.open()}) {
        if (!opened) return unreachable(complaints, opened.error(), start_databases);
    }
    hold_plan plan{.users = {},
                   .product = {},
                   .mixed = mixed_per_unit * static_cast<std::size_t>(options.stock),
                   .most = options.selling_max,
                   .run = make_run_name()};
    auto users =
        create_users(options.load, plan.run, options.users, &progress, starting_balance(options));
    if (!users) return unreachable(complaints, users.error(), start_server);
    plan.users = std::move(*users);
    if (options.per_user_limit > 0) plan.product.per_user_limit = options.per_user_limit;
    const auto products = create_products(options.load, plan.run,
                                          {{.stock = options.stock,
                                            .per_user_limit = plan.product.per_user_limit,
                                            .payment_window_s = options.payment_window.count()}},
                                          &progress);
    if (!products) return unreachable(complaints, products.error(), start_server);
    plan.product.id = products->front();
    plan.product.supplied = options.stock;

    hold_traffic orders{std::move(plan)};
    holds_report report{.options = options, .orders = orders};
    report.load = run_closed_loop(options.load, orders, &progress);
    if (report.load.started == report.load.finished || orders.totals().asked == 0) {
        return unreachable(complaints, report.load.failure, start_server);
    }

    const auto stored = wait_until_stored(databases, *products, orders.accepted().size(),
                                          options.storing_max, progress);
    if (!stored) return unreachable(complaints, stored.error(), start_databases);
    const auto life = wait_until_at_rest(lives, orders, options.storing_max, progress);
    if (!life) return unreachable(complaints, life.error(), start_databases);
    report.settling_seconds =
        std::chrono::duration<double>(clock::now() - report.load.finished).count();
    progress.clear();
    const auto record = databases.read(*products);
    if (!record) return unreachable(complaints, record.error(), start_databases);
    report.lives = add_up(known_lives(options, orders), *life);
    report.checked = add_up(known_orders(orders, report.lives.returned), *record);
    report.judge();

    if (!options.json_only) report.print(out);
    out << report.json() << std::endl;
    return report.holds() ? exit_holds : exit_sums_fail;
}

}  // namespace flashsale::bench
