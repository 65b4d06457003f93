#include <spdlog/fmt/fmt.h>

#include <memory>
#include <thread>

#include "report/sections.hpp"

namespace flashsale::bench {

namespace {

constexpr double kib_per_connection_max = 16;

std::uint64_t resident_of(const sale_site& site) {
    // The kernel gives pages back and forth for a moment after the last answer.
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    const auto bytes = resident_bytes(site.pid());
    if (!bytes) throw std::runtime_error("the server is gone");
    return *bytes;
}

}  // namespace

bar measure_idle_memory(bench_run& run) {
    const auto count = run.sizes.idle_connections;
    bar row{.name = "idle_memory",
            .what = fmt::format("resident per idle connection, {} of them", count),
            .unit = "KiB",
            .limit_name = "what is allowed",
            .must_be = bar::rule::at_most,
            .threshold = 1,
            .limit = {kib_per_connection_max}};
    run.progress.show(row.what);
    auto& site = run.open_site();
    asio::io_context io;
    std::vector<std::unique_ptr<plain_http>> idle;
    const auto one_more = [&] {
        idle.push_back(std::make_unique<plain_http>(io, site.to()));
        if (idle.back()->get("/livez").status != 200) {
            throw std::runtime_error("GET /livez is not answered 200");
        }
    };
    for (int i = 0; i < 10; ++i)
        one_more();
    const auto before = resident_of(site);
    for (std::size_t i = 0; i < count; ++i)
        one_more();
    const auto after = resident_of(site);
    const double grown = after > before ? static_cast<double>(after - before) : 0;
    row.measured = {grown / 1'024 / static_cast<double>(count)};
    idle.clear();
    run.close_site();
    return row;
}

}  // namespace flashsale::bench
