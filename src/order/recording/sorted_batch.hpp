#pragma once

#include <algorithm>
#include <flashsale/base/must_hold.hpp>
#include <flashsale/events/log.hpp>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace flashsale::order {

using id_set = std::unordered_set<uuid, uuid_hash>;

/// A batch taken apart: each event once, however often it was delivered in it.
struct sorted_batch {
    std::vector<events::order_accepted> orders;
    std::vector<events::stock_reduced> reductions;
    std::vector<events::barrier> barriers;
    std::vector<events::poison> poison;

    explicit sorted_batch(std::vector<events::entry> entries) {
        id_set seen;
        for (events::entry& entry : entries) {
            if (!entry) {
                poison.push_back(std::move(entry.error()));
                continue;
            }
            std::visit([&](auto& one) { add(std::move(one), seen); }, *entry);
        }
    }

    /// Calls `each` with every order and every reduction.
    template <class Each>
    void for_each_allocation(Each each) const {
        std::ranges::for_each(orders, each);
        std::ranges::for_each(reductions, each);
    }

    /// One of those.
    events::event find(const uuid& id) const {
        const auto order = std::ranges::find(orders, id, &events::event_base::id);
        if (order != orders.end()) return *order;
        const auto reduction = std::ranges::find(reductions, id, &events::event_base::id);
        must_hold(reduction != reductions.end(), "the ledger refuses what it was given");
        return *reduction;
    }

private:
    void add(events::order_accepted&& one, id_set& seen) {
        if (seen.insert(one.id).second) orders.push_back(std::move(one));
    }
    void add(events::stock_reduced&& one, id_set& seen) {
        if (seen.insert(one.id).second) reductions.push_back(std::move(one));
    }
    void add(events::barrier&& one, id_set&) { barriers.push_back(std::move(one)); }
};

}  // namespace flashsale::order
