#pragma once

// The fields of events, in the order in which they are written. Whatever writes or reads events
// goes through this table: a field that is added here is in all of it.

#include <flashsale/events/event.hpp>
#include <limits>

namespace flashsale::events {

/// Of events in full, and of orders in short, and what each begins with.
inline constexpr std::int64_t version_in_full = 1;
inline constexpr std::int64_t version_in_short = 2;
inline constexpr std::string_view opening_in_full = R"({"version":1,"type":")";
inline constexpr std::string_view opening_in_short = "[2";

struct field {
    std::string_view name;
    bool in_short;  ///< else, in short, the id tells it
    std::int64_t min = 0;
    std::int64_t max = std::numeric_limits<std::int64_t>::max();  ///< of a text: bytes
    /// In full, as versions before have written it: what they left in a queue is still read.
    std::string_view name_before = {};
};

/// A price is one field: a number, or a string with the currency, or how long units are held for
/// it, or both. A version that does not know of holds cannot read such a string, and sets the event
/// aside: it would record the order as sold outright.
template <class Amount, class Currency, class Window>
struct price_field {
    Amount& amount;
    Currency& currency;
    Window& payment_window_s;

    bool is_a_number() const { return currency.is_none() && payment_window_s == 0; }
};
template <class Amount, class Currency, class Window>
price_field(Amount&, Currency&, Window&) -> price_field<Amount, Currency, Window>;

namespace table {

inline constexpr field id{"id", true};
inline constexpr field shard{"shard", false, 0, 4'095};
inline constexpr field user_id{"user_id", true, 1};
inline constexpr field product_id{"product_id", true, 1};
inline constexpr field quantity{"quantity", true, 1, (std::int64_t{1} << 53) - 1};
inline constexpr field idempotency_key{"idempotency_key", true, 1, 255};
inline constexpr field created_at{"created_at", false};
inline constexpr field unit_price{"unit_price", true};
inline constexpr field epoch{.name = "epoch", .in_short = true, .name_before = "generation"};
inline constexpr field seq{"seq", true, 1};

}  // namespace table

/// Calls each(field, member) for each field that such an event has, until one returns false; so
/// does this then.
template <class Event, class Each>
constexpr bool for_each_field(Event& of, Each each) {
    constexpr bool takes_units = requires { of.product_id; };
    if (!each(table::id, of.id) || !each(table::shard, of.shard)) return false;
    if constexpr (requires { of.user_id; }) {
        if (!each(table::user_id, of.user_id)) return false;
    }
    if constexpr (takes_units) {
        if (!each(table::product_id, of.product_id) || !each(table::quantity, of.quantity) ||
            !each(table::idempotency_key, of.idempotency_key)) {
            return false;
        }
    }
    if (!each(table::created_at, of.created_at)) return false;
    if constexpr (takes_units) {
        price_field price{of.unit_price, of.currency, of.payment_window_s};
        if (!each(table::unit_price, price)) return false;
    }
    if (!each(table::epoch, of.epoch)) return false;
    if constexpr (takes_units) {
        if (!each(table::seq, of.seq)) return false;
    }
    return true;
}

}  // namespace flashsale::events
