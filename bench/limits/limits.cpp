#include "limits/limits.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>

namespace flashsale::bench {

std::vector<limit_row> measure_limits(const workplace& where, const limit_sizes& sizes,
                                      progress_line& progress) {
    std::vector<limit_row> rows;
    const auto add = [&rows](std::vector<limit_row> more) {
        std::ranges::move(more, std::back_inserter(rows));
    };
    std::size_t bytes = 0;
    {
        progress.show("limits: how long our answers are");
        sale_site site{where, 1, progress};
        bytes = refusal_bytes(site);
        site.close();
    }
    {
        bare_site bare{bytes};
        for (const auto connections : sizes.connections) {
            progress.show(fmt::format("limits: HTTP, {} connections", connections));
            rows.push_back(measure_http(bare, connections, sizes));
        }
    }
    progress.show("limits: Redis");
    add(measure_redis(where, sizes));
    progress.show("limits: RabbitMQ");
    add(measure_amqp(where, sizes));
    progress.show("limits: PostgreSQL");
    add(measure_postgres(where, sizes));
    rows.push_back(measure_disk(sizes));
    progress.clear();
    return rows;
}

std::string limits_table(const std::vector<limit_row>& rows) {
    const auto or_blank = [](const std::optional<double>& value, const char* form) {
        return value ? fmt::format(fmt::runtime(form), *value) : std::string{};
    };
    std::string out = fmt::format("{:<22} {:<42} {:>10} {:<15} {:>8} {:>8} {:>7} {:>7}\n", "part",
                                  "how", "", "", "p50 ms", "p99 ms", "server", "client");
    for (const auto& row : rows) {
        out += fmt::format("{:<22} {:<42} {:>10.0f} {:<15} {:>8} {:>8} {:>7} {:>7}{}\n", row.part,
                           row.how, row.per_second, row.unit, or_blank(row.p50_ms, "{:.2f}"),
                           or_blank(row.p99_ms, "{:.2f}"), or_blank(row.server_busy, "{:.2f}"),
                           or_blank(row.client_busy, "{:.2f}"),
                           row.note.empty() ? "" : "  " + row.note);
    }
    return out + "server, client: cores that each kept busy\n";
}

boost::json::array limits_json(const std::vector<limit_row>& rows) {
    boost::json::array all;
    for (const auto& row : rows) {
        boost::json::object one{{"part", row.part},
                                {"how", row.how},
                                {"per_second", row.per_second},
                                {"unit", row.unit},
                                {"note", row.note}};
        if (row.p50_ms) one["p50_ms"] = *row.p50_ms;
        if (row.p99_ms) one["p99_ms"] = *row.p99_ms;
        if (row.server_busy) one["server_busy"] = *row.server_busy;
        if (row.client_busy) one["client_busy"] = *row.client_busy;
        all.push_back(std::move(one));
    }
    return all;
}

}  // namespace flashsale::bench
