#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <future>
#include <thread>

#include "report/sections.hpp"

namespace flashsale::bench {

namespace {

using std::chrono::seconds;

constexpr std::size_t connections = 512;
constexpr double seconds_max = 10;
constexpr seconds patience{120};
constexpr std::chrono::milliseconds look_interval{50};

/// Holds that end in the same second. An order's end is that of its product's window after it was
/// accepted, so the orders of each second are for a product whose window is a second shorter.
struct holds {
    std::vector<std::unique_ptr<order_stream>> streams;
    std::vector<sold_product> products;
    std::size_t count = 0;
    clock::time_point end;  ///< when that second begins
};

holds hold(bench_run& run, sale_site& site, std::size_t count, seconds window) {
    holds all;
    all.count = count;
    for (auto left = window; left > window / 2; left -= seconds{1})
        all.products.push_back(site.add_held_product(plenty, left.count()));
    const auto begin = clock::now();
    all.end = begin + window;
    std::size_t held = 0;
    while (held < count) {
        const auto now = clock::now();
        const auto second = std::chrono::floor<seconds>(now - begin);
        if (second >= seconds{all.products.size()}) {
            throw std::runtime_error(
                fmt::format("of {} orders only {} were held in time for "
                            "all to end together",
                            count, held));
        }
        const auto over =
            std::chrono::ceil<std::chrono::milliseconds>(begin + second + seconds{1} - now);
        auto plan = site.plan({all.products[static_cast<std::size_t>(second.count())]});
        plan.requests_max = count - held;
        all.streams.push_back(std::make_unique<order_stream>(plan));
        const auto ran =
            site.run(*all.streams.back(), connections, {.warm_up = {}, .length = over});
        const auto& known = all.streams.back()->known();
        if (known.accepted.empty() || !known.unsure.empty()) {
            throw std::runtime_error("orders that could all be held were not");
        }
        held += known.accepted.size();
        run.progress.show(fmt::format("expiry: {} of {} held", held, count));
    }
    return all;
}

std::int64_t available_of(plain_http& shop, std::int64_t product) {
    constexpr std::string_view name = R"("available":)";
    const auto answer = shop.get(fmt::format("/v1/products/{}", product));
    const auto at = answer.body.find(name);
    if (answer.status != 200 || at == answer.body.npos) {
        throw std::runtime_error("a product is not shown: " + answer.body);
    }
    return std::strtoll(answer.body.c_str() + at + name.size(), nullptr, 10);
}

/// Returns when every unit was seen to be available again.
clock::time_point wait_until_back(const target& to, const holds& all) {
    std::this_thread::sleep_until(all.end);
    asio::io_context io;
    plain_http shop{io, to};
    const auto back = [&](const sold_product& each) {
        return available_of(shop, each.id) == each.supplied;
    };
    while (!std::ranges::all_of(all.products, back)) {
        if (clock::now() > all.end + patience) {
            throw std::runtime_error("units of holds that have ended are not available again");
        }
        std::this_thread::sleep_for(look_interval);
    }
    return clock::now();
}

double since(clock::time_point end, clock::time_point now) {
    return std::chrono::duration<double>(now - end).count();
}

/// Every hold is stored, and its unit has come back: as if it had been supplied once more.
void check_returned(sale_site& site, const holds& all) {
    sale known;
    for (const auto& product : all.products)
        known.products.push_back(product);
    for (const auto& each : all.streams) {
        for (auto& order : each->known().accepted) {
            ++std::ranges::find(known.products, order.wanted.product, &sold_product::id)->supplied;
            known.accepted.push_back(std::move(order));
        }
    }
    site.check(known);
}

/// 201s of a stream per second, between its start and `until`.
double accepted_until(const window_result& ran, clock::time_point until) {
    const auto& slices = ran.over_time;
    const auto length = std::max(0.0, since(ran.started, std::min(until, ran.last_answer)));
    const auto count =
        std::min(slices.accepted.size(),
                 std::max<std::size_t>(1, static_cast<std::size_t>(length / slices.slice_seconds)));
    std::uint64_t accepted = 0;
    for (std::size_t i = 0; i < count; ++i)
        accepted += slices.accepted[i];
    return static_cast<double>(accepted) / (static_cast<double>(count) * slices.slice_seconds);
}

}  // namespace

std::vector<bar> measure_expiry(bench_run& run) {
    const auto count = run.sizes.holds;
    bar rest{.name = "expiry",
             .what = fmt::format("{} holds end, until all are available", count),
             .unit = "s",
             .limit_name = "what is allowed",
             .must_be = bar::rule::at_most,
             .threshold = 1,
             .limit = {seconds_max}};
    bar meanwhile{.name = "expiry_accepted",
                  .what = fmt::format("accepted while {} holds end", count),
                  .unit = "/s",
                  .limit_name = "without",
                  .threshold = 0.5};
    auto& site = run.open_site();

    const auto quiet = hold(run, site, count, run.sizes.hold_window);
    const auto before = site.who().sample();
    rest.measured = {since(quiet.end, wait_until_back(site.to(), quiet))};
    rest.costs = {costs_of(cpu_between(site.who(), before, site.who().sample()), count)};
    check_returned(site, quiet);

    const auto other = site.add_products(2, plenty);
    const auto accept = [&](const sold_product& product) {
        order_stream orders{site.plan({product})};
        auto ran = site.run(orders, connections, {.warm_up = {}, .length = run.sizes.expiry_load});
        site.check(orders);
        return ran;
    };
    site.settle(run.sizes.settling_max);
    const auto alone = accept(other[0]);
    meanwhile.limit = {alone.accepted_per_second()};

    site.settle(run.sizes.settling_max);
    const auto busy = hold(run, site, count, run.sizes.hold_window);
    auto back = std::async(std::launch::async, [&] { return wait_until_back(site.to(), busy); });
    std::this_thread::sleep_until(busy.end);
    const auto ran = accept(other[1]);
    const auto until = back.get();
    if (until <= ran.started) {
        meanwhile.refusals.push_back("all units were back before the first order was sent");
    }
    meanwhile.measured = {accepted_until(ran, until)};
    meanwhile.costs = {costs_of(ran.cpu, ran.counts.accepted)};
    meanwhile.what += fmt::format(", {:.1f} s", since(busy.end, until));
    check_returned(site, busy);
    run.close_site();
    return {rest, meanwhile};
}

}  // namespace flashsale::bench
