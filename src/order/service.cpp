#include "service.hpp"

#include <spdlog/spdlog.h>

#include <flashsale/events/event.hpp>
#include <flashsale/stock/awaited.hpp>

namespace flashsale::order {

namespace {

order order_of(const events::order_accepted& one) {
    return {one.id,         one.user_id,    one.product_id, one.quantity,
            one.unit_price, one.created_at, one.currency};
}

/// `where` and `request` are for the log. nullopt: it is no order.
std::optional<order> order_in(const std::string& event, const char* where, const uuid& id,
                              const std::string& request) {
    const auto decoded = events::parse(event);
    if (!decoded) {
        spdlog::error("request {}: {} {}: {}", request, where, id.to_string(), decoded.error());
        return std::nullopt;
    }
    const auto* one = std::get_if<events::order_accepted>(&*decoded);
    return one ? std::optional(order_of(*one)) : std::nullopt;
}

}  // namespace

void service::place(std::unique_ptr<placing> one) {
    const std::int64_t user_id = one->request.user_id;
    if (users_.is_known(user_id)) return reserve(std::move(one));
    users_.exists(user_id,
                  [this, one = std::move(one)](std::expected<bool, user::errc> exists) mutable {
                      if (!exists) return one->finish(std::unexpected(errc_of(exists.error())));
                      if (!*exists) return one->finish(std::unexpected(errc::user_not_found));
                      reserve(std::move(one));
                  });
}

void service::reserve(std::unique_ptr<placing> one) {
    const place_request& wanted = one->request;
    const stock::reserve_request units{stock::operation::sale, wanted.product_id, wanted.user_id,
                                       wanted.quantity, wanted.idempotency_key};
    reserver_.reserve(
        units, [one = std::move(one)](std::expected<stock::accepted, stock::refusal> reserved) {
            if (!reserved) return one->finish(std::unexpected(reserved.error()));
            const place_request& asked = one->request;
            one->finish(placed{{reserved->id, asked.user_id, asked.product_id, asked.quantity,
                                reserved->unit_price, reserved->id.time(), reserved->currency},
                               reserved->replayed});
        });
}

// An accepted order is in the outbox until it is in the database, recorded or parked, so a reader
// that looks there first and in the database after cannot miss it. A retry of a parked one makes
// the order first; one that comes in between is found at the second look of find(). If the gate
// could not be read, an absent row proves nothing.
awaitable<std::expected<std::optional<order>, failure>> service::look_up(
    uuid id, const std::string& request) {
    const auto event = co_await stock::find_event(outbox_, id);
    if (event && *event) {
        if (const auto waiting = order_in(**event, "outbox entry", id, request)) co_return *waiting;
    }
    auto recorded = co_await store_.find(id);
    if (!recorded) co_return std::unexpected(failure(errc_of(recorded.error())));
    if (*recorded) co_return **recorded;
    const auto parked = co_await store_.find_parked(id);
    if (!parked) co_return std::unexpected(failure(errc_of(parked.error())));
    if (*parked) {
        if (const auto held = order_in(**parked, "parked event", id, request)) co_return *held;
    }
    if (!event) co_return std::unexpected(failure(stock::refusal(event.error())));
    co_return std::nullopt;
}

// A gate that was replaced, and does not know it, has no outbox to speak of: the order may be in
// its successor's. The record was read for that one, and its fence raised, before it granted
// anything. So before an order is said not to exist, the gate is asked which it is, all is looked
// at once more, and the fence must not be of a newer gate.
awaitable<std::expected<order, failure>> service::find(uuid id, std::string request) {
    auto found = co_await look_up(id, request);
    if (!found) co_return std::unexpected(found.error());
    if (*found) co_return **found;

    const auto gate = co_await stock::read_levels(levels_, id.shard(), {});
    if (!gate && gate.error() == stock::errc::product_not_found)  // there is no such shard
        co_return std::unexpected(failure(errc::order_not_found));
    if (!gate) co_return std::unexpected(failure(stock::refusal(gate.error())));
    found = co_await look_up(id, request);
    if (!found) co_return std::unexpected(found.error());
    if (*found) co_return **found;
    const auto newest = co_await store_.newest_gate(id.shard());
    if (!newest) co_return std::unexpected(failure(errc_of(newest.error())));
    if (*newest > gate->epoch)
        co_return std::unexpected(failure(stock::refusal(stock::errc::rebuilding)));
    co_return std::unexpected(failure(errc::order_not_found));
}

}  // namespace flashsale::order
