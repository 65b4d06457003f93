#include "service.hpp"

#include <spdlog/spdlog.h>

#include <flashsale/events/event.hpp>
#include <flashsale/stock/awaited.hpp>

#include <boost/asio/co_spawn.hpp>

#include "order_of.hpp"

namespace flashsale::order {

namespace {

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
    const stock::reserve_request units{stock::operation::sale, wanted.product_id,
                                       wanted.user_id,         wanted.quantity,
                                       wanted.idempotency_key, wanted.unit_price_max};
    reserver_.reserve(units, [this, one = std::move(one)](
                                 std::expected<stock::accepted, stock::refusal> reserved) mutable {
        if (!reserved) return one->finish(std::unexpected(reserved.error()));
        const place_request& asked = one->request;
        order made = accepted_order({.id = reserved->id,
                                     .user_id = asked.user_id,
                                     .product_id = asked.product_id,
                                     .quantity = asked.quantity,
                                     .unit_price = reserved->unit_price,
                                     .created_at = reserved->id.time(),
                                     .currency = reserved->currency,
                                     .payment_window_s = reserved->payment_window_s});
        if (reserved->replayed && made.was_held())
            return finish_replayed(std::move(one), std::move(made));
        one->finish(placed{std::move(made), reserved->replayed});
    });
}

// What became of a hold since only the record knows. One that is not there yet was not changed.
void service::finish_replayed(std::unique_ptr<placing> one, order as_accepted) {
    asio::co_spawn(
        io_,
        [](store& record, std::unique_ptr<placing> of, order was) -> awaitable<void> {
            const auto recorded = co_await record.find(was.id);
            if (!recorded) {
                of->finish(std::unexpected(failure(errc_of(recorded.error()))));
                co_return;
            }
            of->finish(placed{recorded->value_or(std::move(was)), true});
        }(store_, std::move(one), std::move(as_accepted)),
        [](std::exception_ptr fault) {
            if (fault) std::rethrow_exception(fault);
        });
}

// An accepted order is in the outbox until it is in the database, recorded or parked, so a reader
// that looks there first and in the database after cannot miss it. A retry of a parked one makes
// the order first; one that comes in between is found at the second look of find(). If the gate
// could not be read, an absent row proves nothing. Of a held order the record knows more than the
// outbox, which may have its event for a while after it was paid for. One that was sold outright is
// shown as its event says, with the databases away too: the clerk removes the event of one that it
// cancels.
awaitable<std::expected<std::optional<order>, failure>> service::look_up(
    uuid id, const std::string& request) {
    const auto event = co_await stock::find_event(outbox_, id);
    std::optional<order> waiting;
    if (event && *event) waiting = order_in(**event, "outbox entry", id, request);
    if (waiting && !waiting->was_held()) co_return waiting;
    auto recorded = co_await store_.find(id);
    if (!recorded) co_return std::unexpected(failure(errc_of(recorded.error())));
    if (*recorded) co_return **recorded;
    if (waiting) co_return waiting;
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

awaitable<order_changes::answer> service::ask(change_request what) {
    co_return co_await await_callback<order_changes::answer>(
        [this, what = std::move(what)](auto done) mutable {
            changes_.ask(std::move(what), io_, std::move(done));
        });
}

// The record is asked first: nearly always it has the order. One that it does not have may be on
// its way to it; then the event goes with the request, and the order is recorded first.
awaitable<std::expected<changed, change_refusal>> service::change(change_request what,
                                                                  std::string request) {
    auto answer = co_await ask(what);
    if (!answer && answer.error().why == change_failure::kind::not_recorded) {
        const auto event = co_await stock::find_event(outbox_, what.order_id);
        if (event && *event) {
            what.event = **event;
        } else {
            const auto found = co_await find(what.order_id, request);
            if (!found) co_return std::unexpected(change_refusal(found.error()));
        }
        answer = co_await ask(std::move(what));
    }
    if (!answer) co_return std::unexpected(change_refusal(std::move(answer.error())));
    co_return std::move(*answer);
}

}  // namespace flashsale::order
