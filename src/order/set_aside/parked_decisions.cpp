#include <flashsale/order/parked_decisions.hpp>

#include <flashsale/order/recovery.hpp>

namespace flashsale::order {

namespace {

using kind = parked_outcome::kind;

}  // namespace

std::expected<std::optional<parked_row>, std::string> parked_decisions::find(
    const uuid& id, parked_outcome& why_not) {
    auto found = uses_.parked.find(id);
    if (!found) return std::unexpected(found.error());
    why_not.what = kind::not_parked;
    if (!*found) return std::nullopt;
    why_not.what = kind::dropped_before;
    if ((*found)->dropped_at) return std::nullopt;
    return found;
}

std::expected<parked_outcome, std::string> parked_decisions::retry(const uuid& id) {
    parked_outcome why_not;
    const auto found = find(id, why_not);
    if (!found) return std::unexpected(found.error());
    if (!*found) return why_not;
    const auto event = events::parse((*found)->event);
    if (!event) return parked_outcome{.what = kind::unreadable, .reason = event.error()};
    if ((*found)->holds_units) return record(id, *event);
    if (!uses_.units.asks_again()) return parked_outcome{kind::not_asked_again};
    const auto asked = uses_.parked.ask_again_for(id, events::base_of(*event).shard);
    if (!asked) return std::unexpected(asked.error());
    return parked_outcome{kind::to_be_asked_again};
}

// The order first, as the recorder writes it: an order without a movement gets one, and a movement
// without an order is nothing that is ever mended.
std::expected<parked_outcome, std::string> parked_decisions::record(const uuid& id,
                                                                    const events::event& event) {
    const auto movement = movement_of(event);
    if (!movement) return parked_outcome{kind::takes_no_units};
    if (const auto* of = std::get_if<events::order_accepted>(&event)) {
        const auto report = uses_.orders.record(std::span(of, 1), {});
        if (!report) return std::unexpected(report.error());
        if (!report->parked.empty()) return parked_outcome{kind::refused_again};
    }
    const auto refused = uses_.ledger.record(std::span(&*movement, 1));
    if (!refused) return std::unexpected(refused.error());
    if (!refused->empty() && refused->front().given_back) {
        const auto taken_back = uses_.orders.take_back(std::span(&id, 1));
        if (!taken_back) return std::unexpected(taken_back.error());
        return parked_outcome{kind::drop_begun};
    }
    if (!refused->empty())
        return parked_outcome{.what = kind::refused_again, .reason = refused->front().reason};
    const auto forgotten = uses_.parked.forget(id);
    if (!forgotten) return std::unexpected(forgotten.error());
    return parked_outcome{kind::recorded};
}

std::expected<parked_outcome, std::string> parked_decisions::drop(const uuid& id) {
    parked_outcome why_not;
    const auto found = find(id, why_not);
    if (!found) return std::unexpected(found.error());
    if (!*found) return why_not;
    const auto event = events::parse((*found)->event);
    const auto taken = event ? movement_of(*event) : std::nullopt;
    outcome out = parked_outcome{kind::dropped};
    if (taken && (*found)->holds_units) out = give_back(*taken);
    if (!out || !out->made()) return out;
    const auto dropped = uses_.parked.drop(id);
    if (!dropped) return std::unexpected(dropped.error());
    return out;
}

std::expected<parked_outcome, std::string> parked_decisions::give_back(
    const stock::movement& taken) {
    const auto hold = uses_.units.hold_on(taken.id);
    if (!hold) return std::unexpected(hold.error());
    switch (*hold) {
        case parked_units::hold::none:
            break;
        case parked_units::hold::sold_by_gate:
            return parked_outcome{kind::sold_by_gate};
        case parked_units::hold::in_log:
            return parked_outcome{kind::in_log};
    }
    // An order that is there was accepted, unless a retry made it that a drop has overtaken.
    const auto begun = uses_.units.is_given_back(taken);
    if (!begun) return std::unexpected(begun.error());
    if (!*begun) {
        const auto recorded = uses_.parked.order_recorded(taken.id);
        if (!recorded) return std::unexpected(recorded.error());
        if (*recorded) return parked_outcome{kind::order_recorded};
    }
    const auto given = uses_.units.give_back(taken);
    if (!given) return std::unexpected(given.error());
    if (*given == stock::given_back::sold) return parked_outcome{kind::in_ledger};
    if (*given == stock::given_back::no_product) return parked_outcome{kind::of_no_product};
    const auto taken_back = uses_.orders.take_back(std::span(&taken.id, 1));
    if (!taken_back) return std::unexpected(taken_back.error());
    return parked_outcome{
        *given == stock::given_back::now ? kind::given_back : kind::given_back_before,
        -taken.delta};
}

}  // namespace flashsale::order
