#include "limits/limits.hpp"

namespace flashsale::bench {

namespace {

constexpr double nearly_a_core = 0.9;

std::string order_bytes(sale_site& site, const sold_product& of) {
    order_stream one{site.plan({of})};
    std::string request;
    one.render(0, site.to().host, request);
    return request;
}

std::size_t answer_bytes(sale_site& site, std::int64_t stock) {
    return site.ask(order_bytes(site, site.add_product(stock))).bytes;
}

}  // namespace

std::size_t refusal_bytes(sale_site& site) {
    return answer_bytes(site, 0);
}

std::size_t acceptance_bytes(sale_site& site) {
    return answer_bytes(site, 1);
}

bool generator_was_the_limit(const window_result& window) {
    return window.busy("generator") > nearly_a_core &&
           window.busy("generator") > window.busy("server");
}

limit_row measure_http(bare_site& bare, std::size_t connections, const limit_sizes& sizes) {
    const std::int64_t user = 123'456;
    order_stream requests{{.users = {&user, 1},
                           .products = {{1, 1, std::nullopt}},
                           .run = "limits",
                           .meaningful = false}};
    const auto ran = bare.run(requests, connections, {.length = sizes.window});
    limit_row row{.part = "HTTP, bare Beast",
                  .how = std::to_string(connections) + " connections",
                  .per_second = ran.answered_per_second(),
                  .unit = "requests/s"};
    row.p50_ms = static_cast<double>(ran.counts.refused_ns.at(0.5)) / 1e6;
    row.p99_ms = static_cast<double>(ran.counts.refused_ns.at(0.99)) / 1e6;
    row.server_busy = ran.busy("server");
    row.client_busy = ran.busy("generator");
    if (generator_was_the_limit(ran)) row.note = "the generator was the bottleneck";
    return row;
}

}  // namespace flashsale::bench
