#include "unit_returns.hpp"

#include <spdlog/spdlog.h>

#include <flashsale/base/fault_points.hpp>

#include <map>

namespace flashsale::order {

done unit_returns::give_back(std::span<const ended_order> ended) {
    if (ended.empty()) return {};
    faults::pass(faults::place::order_ended);
    std::vector<stock::ended_line> lines;
    lines.reserve(ended.size());
    for (const ended_order& one : ended)
        lines.push_back(one.units);
    auto recorded = uses_.units.record(lines);
    if (!recorded) return std::unexpected("stock database: " + recorded.error());
    id_set refused;
    for (const stock::refused_movement& one : recorded->refused) {
        spdlog::error("order {} has ended, and its units cannot be returned: {}",
                      one.of.order_id.to_string(), one.reason);
        refused.insert(one.of.order_id);
    }
    std::vector<returned_order> finished;
    for (const ended_order& one : ended) {
        if (!refused.contains(one.what.id)) finished.push_back({one.what.id});
    }
    if (faults::without(faults::guard::return_due)) (void)clear(finished);
    faults::pass(faults::place::units_returned);
    const auto told = wait_for<std::expected<void, stock::errc>>(uses_.wait, [&](auto done) {
        uses_.gate.take_returns(std::move(recorded->units), std::move(done));
    });
    if (!told) return std::unexpected("the gate was not told of returned units");
    faults::pass(faults::place::gate_told);
    if (auto cleared = clear(finished); !cleared) return cleared;
    const std::vector<uuid> later(refused.begin(), refused.end());
    if (const auto done = uses_.orders.put_off(later); !done) return text_of(done.error());
    return {};
}

// A process may be told nothing of a gate that has replaced its own, somewhere else, and go on
// telling the old one. So the gate is asked which it is, once it has been told: whatever was opened
// where it is until then knows too.
done unit_returns::clear(std::span<returned_order> orders) {
    std::map<std::uint32_t, std::uint64_t> epochs;
    for (returned_order& one : orders) {
        const auto [known, is_new] = epochs.try_emplace(one.id.shard(), 0);
        if (is_new) {
            using answer = std::expected<stock::gate_levels::levels, stock::errc>;
            const auto gate = wait_for<answer>(uses_.wait, [&](auto done) {
                uses_.levels.read_levels(one.id.shard(), {}, std::move(done));
            });
            if (!gate) return std::unexpected("the gate does not say which it is");
            known->second = gate->epoch;
        }
        one.epoch = known->second;
    }
    const auto cleared = uses_.orders.returned(orders);
    if (!cleared) return text_of(cleared.error());
    if (!*cleared) return std::unexpected("the gate was told of returned units, and replaced");
    return {};
}

void unit_returns::remove_events(std::span<const ended_order> recorded) {
    if (recorded.empty()) return;
    std::vector<stock::recorded_event> events;
    for (const ended_order& one : recorded)
        events.push_back({one.what.id, one.what.id.shard(), one.units.taken.epoch});
    (void)wait_for<std::expected<void, stock::errc>>(
        uses_.wait, [&](auto done) { uses_.outbox.prune(std::move(events), std::move(done)); });
}

}  // namespace flashsale::order
