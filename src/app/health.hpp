#pragma once

// What /livez, /readyz and /metrics say.

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flashsale/base/async.hpp>

namespace flashsale::http {
class router;
}

namespace flashsale::app {

struct dependency_state {
    std::string name;
    std::optional<std::string> fault;  ///< nullopt: it answers
    bool needed_for_orders = true;     ///< without it no order can be accepted
};

/// Shared by all workers; any thread.
struct health {
    std::atomic<bool> draining{false};
    /// The log's and the recorder's part.
    std::function<std::vector<dependency_state>()> shared;
};

/// `own` gives the worker's part. Ready: an order has a chance.
void register_health_routes(http::router& routes, const health& state,
                            std::function<std::vector<dependency_state>()> own);

}  // namespace flashsale::app
