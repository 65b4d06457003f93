// Asks a gate again for what came behind its fence (late_event.hpp).

#include <spdlog/spdlog.h>

#include <flashsale/base/must_hold.hpp>
#include <flashsale/order/recovery.hpp>

#include "late_event.hpp"
#include "metrics.hpp"

namespace flashsale::order {

namespace {

/// In batches that the gate takes.
std::vector<stock::decision> ask(stock::gate_decisions& gate, const waiting& wait,
                                 const std::vector<stock::allocation>& late) {
    using decisions = std::vector<stock::decision>;
    decisions all;
    const std::size_t batch_max = gate.batching().reservations_max;
    while (all.size() < late.size()) {
        std::vector<stock::reservation> batch;
        for (std::size_t i = all.size(); i < late.size() && batch.size() < batch_max; ++i)
            batch.push_back(reservation_of(late[i]));
        const std::size_t asked = batch.size();
        auto answers = wait_for<decisions>(
            wait, [&](auto done) { gate.reserve(std::move(batch), std::move(done)); });
        must_hold(answers.size() == asked, "each late event has its own answer");
        std::ranges::move(answers, std::back_inserter(all));
    }
    return all;
}

}  // namespace

std::expected<late_report, std::string> ask_again(late_store& store, stock::gate_decisions& gate,
                                                  const waiting& wait, std::uint32_t shard,
                                                  const uuid& after, std::size_t events_max) {
    const auto page = store.page(shard, after, events_max);
    if (!page) return std::unexpected(page.error());
    const std::vector<stock::allocation>& late = page->rows;
    late_report report;
    report.asked = late.size();
    report.next = page->next;
    if (late.empty()) return report;

    auto answers = ask(gate, wait, late);
    std::vector<uuid> settled;
    for (std::size_t i = 0; i < late.size(); ++i) {
        const uuid& id = late[i].order_id;
        switch (outcome_of(id, answers[i])) {
            case late_outcome::recorded:
            case late_outcome::twin:
                settled.push_back(id);
                break;
            case late_outcome::on_its_way:
                // A repeat's event was in the outbox before, and the reconciler sees to that.
                // So will it to that of another gate than the first one's.
                if (answers[i]->repeat) break;
                if (report.to_publish.empty()) report.token = answers[i]->token;
                if (answers[i]->token == report.token)
                    report.to_publish.push_back(std::move(answers[i]->event));
                break;
            case late_outcome::refused: {
                const std::string reason = "the gate of a later epoch refuses it: " +
                                           std::string(stock::name_of(answers[i].error()));
                if (auto parked = store.park(id, reason); !parked)
                    return std::unexpected(parked.error());
                metrics::parked.add();
                ++report.refused;
                spdlog::error("event {} is parked: {}", id.to_string(), reason);
                break;
            }
            case late_outcome::not_yet:
                break;
        }
    }
    if (!settled.empty()) {
        if (auto gone = store.forget(settled); !gone) return std::unexpected(gone.error());
    }
    report.resolved = settled.size();
    return report;
}

}  // namespace flashsale::order
