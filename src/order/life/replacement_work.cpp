#include "replacement_work.hpp"

#include <spdlog/spdlog.h>

#include <flashsale/base/fault_points.hpp>

#include <set>

namespace flashsale::order {

namespace {

/// In one call: the clerk's other work waits meanwhile, a round trip for each.
constexpr std::size_t asked_max = 50;

/// Clients send visible characters; a space is none.
std::string key_of(const payment& by) {
    return "payment " + by.id.to_string();
}

}  // namespace

done replacement_work::place(std::span<const uuid> payments) {
    const auto late = uses_.replacements.late(payments);
    if (!late) return text_of(late.error());
    std::vector<replacement> placed;
    std::vector<uuid> refused, new_orders;
    std::set<std::uint32_t> silent_shards;
    std::size_t asked_for = 0;
    for (const late_payment& one : *late) {
        if (!one.returned || silent_shards.contains(one.old.id.shard())) continue;
        if (++asked_for > asked_max) break;
        const auto asked = ask_gate(one);
        if (!asked) return std::unexpected(asked.error());
        if (asked->what == outcome::not_yet) silent_shards.insert(one.old.id.shard());
        if (asked->what == outcome::placed) {
            placed.push_back({one.by.id, one.old.id, asked->order_id});
            new_orders.push_back(asked->order_id);
        }
        if (asked->what == outcome::refused) refused.push_back(one.by.id);
    }
    faults::pass(faults::place::replacement_recorded);
    if (const auto paid = uses_.replacements.pay(placed); !paid) return text_of(paid.error());
    // A new hold that has ended before it was paid for is too late once more.
    const auto states = uses_.orders.find(new_orders);
    if (!states) return text_of(states.error());
    for (const order& one : *states) {
        if (!has_ended(one.status)) continue;
        for (const replacement& by : placed) {
            if (by.order_id == one.id) refused.push_back(by.payment_id);
        }
    }
    std::vector<uuid> refunds;
    for (std::size_t i = 0; i < refused.size(); ++i)
        refunds.push_back(ids_.make());
    if (const auto done = uses_.replacements.give_up(refused, refunds); !done)
        return text_of(done.error());
    return {};
}

// By the ordinary way, so what is granted is in the log before anything else is done with it.
std::expected<replacement_work::asked, std::string> replacement_work::ask_gate(
    const late_payment& of) {
    using answer = std::expected<stock::accepted, stock::refusal>;
    const std::string key = key_of(of.by);
    const auto accepted = wait_for<answer>(uses_.wait, [&](auto done) {
        uses_.reserves.reserve(
            {stock::operation::sale, of.old.product_id, of.old.user_id, of.old.quantity, key},
            std::move(done));
    });
    if (!accepted) {
        const auto why = accepted.error().code;
        if (why == stock::errc::high_traffic || why >= stock::errc::overloaded) return asked{};
        spdlog::info("payment {} came too late for order {}, which cannot be had again: {}",
                     of.by.id.to_string(), of.old.id.to_string(), stock::name_of(why));
        return asked{outcome::refused};
    }
    faults::pass(faults::place::replacement_granted);
    return record(accepted->id);
}

/// The recorder may rest for longer than the new hold lasts.
std::expected<replacement_work::asked, std::string> replacement_work::record(const uuid& id) {
    const auto known = uses_.orders.find(std::vector{id});
    if (!known) return text_of(known.error());
    if (!known->empty()) return asked{outcome::placed, id};
    using found = std::expected<std::optional<std::string>, stock::errc>;
    const auto text = wait_for<found>(
        uses_.wait, [&](auto done) { uses_.outbox.find_event(id, std::move(done)); });
    if (!text || !*text) return asked{};
    const auto event = events::parse(**text);
    const auto* order = event ? std::get_if<events::order_accepted>(&*event) : nullptr;
    if (order == nullptr) return std::unexpected("the gate's event cannot be read");
    const auto report = uses_.record.record(std::vector{*order}, {});
    if (!report) return std::unexpected(report.error());
    // Behind a newer fence the newer gate is asked, by the same key.
    if (!report->late.empty() || !report->parked.empty()) return asked{};
    return asked{outcome::placed, id};
}

}  // namespace flashsale::order
