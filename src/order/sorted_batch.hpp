#pragma once

#include <flashsale/events/log.hpp>

#include <unordered_set>
#include <utility>
#include <vector>

namespace flashsale::order {

/// A batch taken apart: each event once, however often it was delivered in it.
struct sorted_batch {
    std::vector<events::event> orders;
    std::vector<events::event> reductions;
    std::vector<events::event> barriers;
    std::vector<events::poison> poison;

    explicit sorted_batch(std::vector<events::entry> entries) {
        std::unordered_set<uuid, uuid_hash> seen;
        for (events::entry& entry : entries) {
            if (!entry) {
                poison.push_back(std::move(entry.error()));
                continue;
            }
            if (entry->what == events::event::kind::barrier) {
                barriers.push_back(std::move(*entry));
                continue;
            }
            if (!seen.insert(entry->id).second) continue;
            const bool order = entry->what == events::event::kind::order_accepted;
            (order ? orders : reductions).push_back(std::move(*entry));
        }
    }
};

}  // namespace flashsale::order
