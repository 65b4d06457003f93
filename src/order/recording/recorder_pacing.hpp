#pragma once

// When the recorder rests between batches, and for how long (pacing_options); no I/O.
//
// It rests only while orders keep coming to this process, for a part of the time that the batch
// took. It does not rest once too much waits, or what waits is too old, or neither is known: all of
// that is asked again in the middle of a rest.
//
// A hold is found to have ended in the record alone. So while holds come by, what waits is too old
// a second before the shortest of them would end.

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

    /// So long after the last one of its length a hold is expected to come again.
    static constexpr std::chrono::minutes holds_remembered{1};
    /// Before a hold ends it is recorded.
    static constexpr duration before_end{1'000};

    /// A batch has an order that is held so long for payment.
    void held(time now, std::chrono::seconds window) {
        if (shortest_hold_ && now - held_at_ < holds_remembered && window > *shortest_hold_) return;
        shortest_hold_ = window;
        held_at_ = now;
    }

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
        if (!until_ || !leaves_room(known, now)) return std::nullopt;
        const auto left = std::chrono::ceil<duration>(*until_ - now);
        if (left.count() <= 0) return std::nullopt;
        return std::min(left, look_interval);
    }

private:
    bool leaves_room(const std::optional<backlog>& known, time now) const {
        return known && known->age < lag_max(now) && known->events < bounds_.backlog_max;
    }
    duration lag_max(time now) const {
        if (!shortest_hold_ || now - held_at_ >= holds_remembered) return bounds_.lag_max;
        return std::min<duration>(bounds_.lag_max, *shortest_hold_ - before_end);
    }

    const pacing_options bounds_;
    std::uint64_t arrivals_ = 0;
    std::optional<time> until_;
    std::optional<std::chrono::seconds> shortest_hold_;
    time held_at_{};  // when one of that length came by
};

}  // namespace flashsale::order
