#include <flashsale/base/metrics.hpp>
#include <flashsale/http.hpp>

#include "health.hpp"

namespace flashsale::app {

namespace {

std::string checks_of(const std::vector<dependency_state>& all, bool ready, bool draining) {
    std::string out = R"({"status":)";
    out += ready ? R"("ready")" : draining ? R"("draining")" : R"("not ready")";
    out += R"(,"checks":{)";
    for (const dependency_state& one : all) {
        if (&one != &all.front()) out.push_back(',');
        append_json_string(out, one.name);
        out.push_back(':');
        append_json_string(out, one.fault ? *one.fault : "ok");
    }
    return out + "}}";
}

/// nullopt: `verbose` is neither true nor false.
std::optional<bool> asks_for_all(std::string_view query) {
    if (query.empty() || query == "verbose=false" || query == "verbose=0") return false;
    if (query == "verbose" || query == "verbose=true" || query == "verbose=1") return true;
    return std::nullopt;
}

http::response readiness(const http::request& asked, const health& state,
                         std::vector<dependency_state> all) {
    const auto verbose = asks_for_all(asked.query);
    if (!verbose) return http::problem({"verbose", "true or false"});
    const auto shared = state.shared();
    all.insert(all.end(), shared.begin(), shared.end());
    const bool draining = state.draining;
    bool ready = !draining;
    std::string why = draining ? "draining" : "";
    for (const dependency_state& one : all) {
        if (!one.fault || !one.needed_for_orders) continue;
        ready = false;
        why += (why.empty() ? "" : "; ") + std::string(one.name) + ": " + *one.fault;
    }
    http::response out;
    if (!ready) out = http::problem(http::problems::dependency_unavailable, why);
    if (*verbose) {
        out.body = checks_of(all, ready, draining);
        out.is_problem = false;
        out.content_type = "application/json";
    } else if (ready) {
        out.body = R"({"status":"ready"})";
    }
    return out;
}

}  // namespace

void register_health_routes(http::router& routes, const health& state,
                            std::function<std::vector<dependency_state>()> own) {
    using http::callers;
    using http::method;
    routes.add({.verb = method::get,
                .pattern = "/livez",
                .who_may = callers::anybody(),
                .handle = [](const http::request&, http::exchange reply) {
                    http::response out;
                    out.body = R"({"status":"alive"})";
                    reply.answer(std::move(out));
                }});
    routes.add(
        {.verb = method::get,
         .pattern = "/readyz",
         .who_may = callers::anybody(),
         .handle = [&state, own = std::move(own)](
                       const http::request& asked,
                       http::exchange reply) { reply.answer(readiness(asked, state, own())); },
         .query = {"verbose"}});
    routes.add({.verb = method::get,
                .pattern = "/metrics",
                .who_may = callers::anybody(),
                .handle = [](const http::request&, http::exchange reply) {
                    http::response out;
                    out.body = render_metrics();
                    out.content_type = "text/plain; version=0.0.4";
                    reply.answer(std::move(out));
                }});
}

}  // namespace flashsale::app
