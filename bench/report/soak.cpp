#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "commands/command.hpp"
#include "report/json_text.hpp"
#include "load/open_loop.hpp"
#include "load/rush.hpp"
#include "report/sections.hpp"
#include "site/workplace_options.hpp"

namespace flashsale::bench {

namespace {

using std::chrono::milliseconds;

constexpr double growth_max = 0.05;
constexpr milliseconds leg{30'000};
constexpr std::size_t connections = 256;

/// Hears of every order, and looks at the server's memory now and then.
class watched_stream final : public traffic {
public:
    watched_stream(order_stream& orders, pid_t server, std::vector<std::uint64_t>& resident)
        : orders_{orders}, server_{server}, resident_{resident} {}

    std::optional<std::size_t> next() override {
        if (const auto now = clock::now(); now >= due_) {
            due_ = now + std::chrono::seconds{1};
            if (const auto bytes = resident_bytes(server_)) resident_.push_back(*bytes);
        }
        return orders_.next();
    }
    void render(std::size_t number, std::string_view host, std::string& out) const override {
        orders_.render(number, host, out);
    }
    void done(std::size_t number, const outcome& what) override { orders_.done(number, what); }
    std::string progress() const override { return orders_.progress(); }

private:
    order_stream& orders_;
    pid_t server_;
    std::vector<std::uint64_t>& resident_;
    clock::time_point due_{};
};

int soak(const workplace& where, std::chrono::seconds length, double rate, bool json_only) {
    progress_line progress;
    const report_sizes sizes;
    sale_site site{where, sizes.users, progress};
    if (rate <= 0) {
        order_stream orders{site.plan({site.add_product(plenty)})};
        rate = site.run(orders, 512, {.warm_up = sizes.warm_up, .length = milliseconds{5'000}})
                   .accepted_per_second() /
               2;
        site.check(orders);
    }
    // In legs, so that the sums over the databases stay of a size that can be held.
    std::vector<std::uint64_t> resident;
    std::size_t first_minute = 0;
    const auto legs = std::max<std::int64_t>(1, length / leg);
    for (std::int64_t i = 0; i < legs; ++i) {
        order_stream orders{site.plan({site.add_product(plenty)})};
        watched_stream watched{orders, site.pid(), resident};
        open_loop_options loop;
        loop.load = site.load(connections);
        loop.per_second = rate;
        loop.warm_up = milliseconds{0};
        loop.length = std::min<milliseconds>(leg, length);
        const auto ran = run_open_loop(loop, watched, {}, &progress);
        if (!ran.failure.empty()) throw std::runtime_error(ran.failure);
        if (orders.totals().refused + orders.totals().unknown > 0) {
            throw std::runtime_error("not every order was accepted");
        }
        site.check(orders);
        if ((i + 1) * leg <= std::chrono::minutes{1}) first_minute = resident.size();
    }
    site.close();
    first_minute = std::clamp<std::size_t>(first_minute, 1, resident.size());
    const auto settled = resident[first_minute - 1];
    const auto highest = *std::ranges::max_element(
        resident.begin() + static_cast<std::ptrdiff_t>(first_minute) - 1, resident.end());
    const double growth = static_cast<double>(highest) / static_cast<double>(settled) - 1;
    const bool holds = growth <= growth_max;
    boost::json::array samples;
    for (const auto bytes : resident)
        samples.push_back(bytes / 1'024);
    if (!json_only) {
        std::cout << fmt::format(
            "{:.0f} orders/s for {} s: resident {} KiB after the first minute, {} KiB at most "
            "thereafter: {:+.1f} %, {}\n\n",
            rate, legs * leg / std::chrono::seconds{1}, settled / 1'024, highest / 1'024,
            growth * 100, holds ? "holds" : "MORE THAN 5 %");
    }
    std::cout << to_text(boost::json::object{{"per_second", rate},
                                             {"growth", growth},
                                             {"holds", holds},
                                             {"resident_kib", std::move(samples)}})
              << std::endl;
    return holds ? exit_holds : exit_sums_fail;
}

}  // namespace

void add_soak(CLI::App& app, action& chosen) {
    struct arguments {
        std::int64_t seconds = 600;
        double rate = 0;
        bool json_only = false;
    };
    auto* command = app.add_subcommand(
        "soak", "Steady load, and whether the server's memory grows after the first minute");
    const auto where = add_workplace_options(*command);
    const auto given = std::make_shared<arguments>();
    command->add_option("--seconds", given->seconds, "How long")
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
    command->add_option("--rate", given->rate, "Orders per second; 0: half of what it can")
        ->check(CLI::Range(0.0, 1'000'000.0))
        ->capture_default_str();
    command->add_flag("--json", given->json_only, "Print the JSON line alone");
    command->callback([where, given, &chosen] {
        chosen = [where, given] {
            return soak(where(), std::chrono::seconds{given->seconds}, given->rate,
                        given->json_only);
        };
    });
}

}  // namespace flashsale::bench
