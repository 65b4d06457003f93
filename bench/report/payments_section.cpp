#include <spdlog/fmt/fmt.h>

#include "load/each_once.hpp"
#include "report/sections.hpp"

namespace flashsale::bench {

namespace {

constexpr std::size_t connections = 512;
constexpr auto price = product_price;
constexpr std::int64_t window_s = 3'600;
constexpr double per_second_min = 5'000;

load_result send_all(const sale_site& site, each_once& requests, progress_line& progress) {
    auto ran = run_closed_loop(site.load(connections), requests, &progress);
    if (!ran.failure.empty()) throw std::runtime_error(ran.failure);
    if (!requests.fault().empty()) throw sums_fail(requests.fault());
    return ran;
}

void append_get(std::string& out, std::string_view host, std::string_view path) {
    out += fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", path, host);
}

void deposit(const sale_site& site, std::span<const std::int64_t> users, std::int64_t amount,
             progress_line& progress) {
    const auto run = make_run_name();
    each_once all{"a deposit", users.size(),
                  [&](std::size_t i, std::string_view host, std::string& out) {
                      append_post(out, host, fmt::format("/v1/users/{}/deposits", users[i]), run,
                                  fmt::format(R"({{"amount":{}}})", amount));
                  },
                  [](std::size_t, const outcome& what) { return what.status == 201; }};
    send_all(site, all, progress);
}

/// What `pay` asks for, so that the bare server can be asked the same.
each_once payments_of(std::span<const placed_order> orders, each_once::hearing hear) {
    return {"a payment", orders.size(),
            [orders](std::size_t i, std::string_view host, std::string& out) {
                append_post(out, host,
                            fmt::format("/v1/orders/{}/payments", orders[i].id.to_string()),
                            orders[i].key, R"({"method":"balance"})");
            },
            std::move(hear)};
}

/// Each order is paid for, and each user has what the payments have left.
void check_paid(const sale_site& site, std::span<const placed_order> orders, std::int64_t left,
                progress_line& progress) {
    each_once statuses{"a look at a paid order", orders.size(),
                       [&](std::size_t i, std::string_view host, std::string& out) {
                           append_get(out, host, "/v1/orders/" + orders[i].id.to_string());
                       },
                       [](std::size_t, const outcome& what) {
                           return what.status == 200 &&
                                  what.body.contains(R"("order_status":"PAID")");
                       }};
    send_all(site, statuses, progress);
    const auto expected = fmt::format(R"("balance":{})", left);
    each_once balances{"a look at a balance", orders.size(),
                       [&](std::size_t i, std::string_view host, std::string& out) {
                           append_get(out, host, fmt::format("/v1/users/{}", orders[i].user));
                       },
                       [&](std::size_t, const outcome& what) {
                           const auto at = what.body.find(expected);
                           if (what.status != 200 || at == what.body.npos) return false;
                           const auto after = what.body.substr(at + expected.size());
                           return !after.empty() && (after.front() == ',' || after.front() == '}');
                       }};
    send_all(site, balances, progress);
}

}  // namespace

bar measure_payments(bench_run& run) {
    const auto count = run.sizes.payments;
    const bool embedded = run.where.folder.has_value();
    bar row{.name = "payments",
            .what = fmt::format("paid for from balances, {} orders", count),
            .unit = "/s",
            .limit_name = embedded ? "bare Beast, same requests" : "rows/s into PostgreSQL",
            .threshold = per_second_min,
            .of_measured = true};
    auto& site = run.open_site();
    const auto buyers = site.users().first(count);
    run.progress.show("payments: deposits");
    auto left = price * run.sizes.rounds;
    deposit(site, buyers, left, run.progress);
    for (int round = 0; round < run.sizes.rounds; ++round) {
        run.progress.show(fmt::format("payments: round {}", round + 1));
        auto plan = site.plan({site.add_held_product(plenty, window_s)});
        plan.users = buyers;
        plan.first_user = 0;
        plan.requests_max = count;
        order_stream held{plan};
        site.run(held, connections, {.warm_up = {}, .length = {}});
        if (held.totals().accepted != count) throw std::runtime_error("not every order was held");
        site.check(held);
        site.settle(run.sizes.settling_max);
        const auto orders = held.placed(count);
        std::uint64_t paid = 0;
        auto payments = payments_of(orders, [&paid](std::size_t, const outcome& what) {
            paid += what.status == 201;
            return what.status == 201;
        });
        const auto before = site.who().sample();
        const auto ran = send_all(site, payments, run.progress);
        row.costs.push_back(costs_of(cpu_between(site.who(), before, site.who().sample()), paid));
        row.measured.push_back(static_cast<double>(paid) / ran.seconds());
        left -= price;
        check_paid(site, orders, left, run.progress);
        if (!embedded) {
            row.limit.push_back(measure_postgres(run.where, run.sizes.limits).front().per_second);
            continue;
        }
        const bare_site bare{acceptance_bytes(site)};
        auto load = site.load(connections);
        load.targets = {bare.to()};
        auto same = payments_of(orders, [](std::size_t, const outcome&) { return true; });
        const auto limit = run_closed_loop(load, same);
        if (!limit.failure.empty()) throw std::runtime_error(limit.failure);
        row.limit.push_back(static_cast<double>(count) / limit.seconds());
    }
    run.close_site();
    return row;
}

}  // namespace flashsale::bench
