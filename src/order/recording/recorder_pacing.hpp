#pragma once

// When the recorder rests between batches, and for how long (pacing_options); no I/O.
//
// It rests only while orders keep coming to this process, for a part of the time that the batch
// took. It does not rest once too much waits, or what waits is too old, or neither is known: all of
// that is asked again in the middle of a rest.

#include <flashsale/order/module.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "backlog.hpp"

namespace flashsale::order {

class recorder_pacing {
public:
    using time = std::chrono::steady_clock::time_point;
    using duration = std::chrono::milliseconds;

    /// Between two looks at whether to rest on.
    static constexpr duration look_interval{20};

    explicit recorder_pacing(const pacing_options& bounds) : bounds_(bounds) {}

    /// A batch that took so long is done. `arrivals`: orders that came to this process so far.
    void batch_done(time now, std::chrono::steady_clock::duration took, std::uint64_t arrivals) {
        const auto rest =
            std::min<std::chrono::duration<double>>(took * bounds_.factor, bounds_.pause_max);
        until_ = now + std::chrono::ceil<duration>(rest);
        arrived(arrivals);
    }

    /// In the middle of a rest: it ends if none came since the last call.
    void arrived(std::uint64_t arrivals) {
        if (std::exchange(arrivals_, arrivals) == arrivals) until_.reset();
    }

    /// How long to rest before this is asked again, with what is known of the backlog; nullopt: no
    /// longer.
    std::optional<duration> rest(time now, const std::optional<backlog>& known) const {
        if (!until_ || !leaves_room(known)) return std::nullopt;
        const auto left = std::chrono::ceil<duration>(*until_ - now);
        if (left.count() <= 0) return std::nullopt;
        return std::min(left, look_interval);
    }

private:
    bool leaves_room(const std::optional<backlog>& known) const {
        return known && known->age < bounds_.lag_max && known->events < bounds_.backlog_max;
    }

    const pacing_options bounds_;
    std::uint64_t arrivals_ = 0;
    std::optional<time> until_;
};

}  // namespace flashsale::order
