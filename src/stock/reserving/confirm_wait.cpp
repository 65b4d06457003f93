#include "confirm_wait.hpp"

#include <algorithm>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/base/must_hold.hpp>

#include "metrics.hpp"

namespace flashsale::stock {

namespace {

void answer_unknown(confirm_wait::waiter& one) {
    metrics::unknown.add();
    one.done(std::unexpected(errc::outcome_unknown));
}

}  // namespace

std::optional<std::uint64_t> confirm_wait::add(const uuid& id, std::string_view event,
                                               const uuid& token, waiter&& one) {
    const std::size_t hash = std::hash<std::string_view>{}(event);
    const auto [found, is_new] = by_id_.try_emplace(id, last_ticket_ + 1);
    if (!is_new) {
        entry& there = by_ticket_.at(found->second);
        if (there.hash == hash && there.token == token) {
            if (!faults::without(faults::guard::publication_start))
                one.until = std::min(one.until, there.until);
            deadlines_.emplace(one.until, found->second);
            there.waiters.push_back(std::move(one));
            return std::nullopt;
        }
        found->second = last_ticket_ + 1;
    }
    const std::uint64_t ticket = ++last_ticket_;
    deadlines_.emplace(one.until, ticket);
    const auto [made, unique] =
        by_ticket_.try_emplace(ticket, entry{id, hash, token, one.until, {}});
    must_hold(unique, "a ticket is of one publication");
    made->second.waiters.push_back(std::move(one));
    return ticket;
}

void confirm_wait::confirmed(std::uint64_t ticket, bool durable, moment now) {
    auto found = by_ticket_.extract(ticket);
    if (found.empty()) return;
    const auto latest = by_id_.find(found.mapped().id);
    if (latest != by_id_.end() && latest->second == ticket) by_id_.erase(latest);
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

void confirm_wait::expire(moment now) {
    while (!deadlines_.empty() && deadlines_.top().first < now) {
        const std::uint64_t ticket = deadlines_.top().second;
        deadlines_.pop();
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
