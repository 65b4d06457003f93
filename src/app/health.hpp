#pragma once

// What /livez, /readyz and /metrics say.

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flashsale/base/async.hpp>
#include <flashsale/base/fault_board.hpp>

namespace flashsale::http {
class router;
}

namespace flashsale::app {

struct dependency_state {
    std::string name;
    std::optional<std::string> fault;  ///< nullopt: it answers
    bool needed_for_orders = true;     ///< without it no order can be accepted
};

/// What the parts of the process have put on the board, for readiness.
inline void append_lines(std::vector<dependency_state>& to, const fault_board& board) {
    for (auto& [part, fault] : board.lines()) {
        to.push_back({part, fault ? std::optional(fault->what) : std::nullopt,
                      !fault || fault->hinders_orders});
    }
}

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
