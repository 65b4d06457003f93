#pragma once

// For code that asks and waits: how its thread waits is its caller's. A process runs the loop that
// the replies come to; the simulation (tests/model) suspends the fiber that asked.

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <flashsale/base/async.hpp>

namespace flashsale {

/// Returns when `done` says so; lets replies come meanwhile.
using waiting = std::function<void(const std::function<bool()>& done)>;

/// Waits by running `io`, which has work for as long as something is waited for.
inline waiting wait_on(asio::io_context& io) {
    return [&io](const std::function<bool()>& done) {
        io.restart();
        while (!done())
            io.run_one();
    };
}

/// Hands `start` a callback, and waits until it was called. What it is called with is kept apart
/// from the waiting stack: that may be unwound while the reply is still on its way.
template <class T>
T wait_for(const waiting& wait, const std::function<void(callback<T>)>& start) {
    const auto reply = std::make_shared<std::optional<T>>();
    start([reply](T result) { reply->emplace(std::move(result)); });
    wait([&reply] { return reply->has_value(); });
    return std::move(**reply);
}

}  // namespace flashsale
