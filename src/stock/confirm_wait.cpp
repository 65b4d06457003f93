#include "confirm_wait.hpp"

#include <algorithm>

#include "metrics.hpp"

namespace flashsale::stock {

namespace {

void answer_unknown(confirm_wait::waiter& one) {
    metrics::unknown.add();
    one.done(std::unexpected(errc::outcome_unknown));
}

}  // namespace

std::optional<std::uint64_t> confirm_wait::add(const uuid& event, waiter&& one) {
    const auto [found, is_new] = by_event_.try_emplace(event, last_ticket_ + 1);
    const std::uint64_t ticket = found->second;
    deadlines_.emplace_back(one.until, ticket);
    if (!is_new) {
        by_ticket_.at(ticket).waiters.push_back(std::move(one));
        return std::nullopt;
    }
    ++last_ticket_;
    entry& made = by_ticket_.try_emplace(ticket, entry{event, {}}).first->second;
    made.waiters.push_back(std::move(one));
    return ticket;
}

void confirm_wait::confirmed(std::uint64_t ticket, bool durable, deadline now) {
    auto found = by_ticket_.extract(ticket);
    if (found.empty()) return;
    by_event_.erase(found.mapped().event);
    for (waiter& one : found.mapped().waiters) {
        if (durable && now <= one.until) {
            metrics::accepted.add();
            one.done(one.what);
        } else {
            if (durable) metrics::confirms_late.add();
            answer_unknown(one);
        }
    }
}

void confirm_wait::expire(deadline now) {
    while (!deadlines_.empty() && deadlines_.front().first < now) {
        const std::uint64_t ticket = deadlines_.front().second;
        deadlines_.pop_front();
        const auto found = by_ticket_.find(ticket);
        if (found == by_ticket_.end()) continue;
        auto& waiters = found->second.waiters;
        const auto late =
            std::ranges::partition(waiters, [now](const waiter& one) { return now <= one.until; });
        std::vector<waiter> expired(std::make_move_iterator(late.begin()),
                                    std::make_move_iterator(late.end()));
        waiters.erase(late.begin(), late.end());
        for (waiter& one : expired)
            answer_unknown(one);
    }
}

}  // namespace flashsale::stock
