#pragma once

// What the gate has granted, as JSON:
//
//   {"version":1,"type":"order_accepted","id":"…","shard":0,"user_id":7,"product_id":3,
//    "quantity":1,"idempotency_key":"…","created_at":"…","unit_price":999,"epoch":1,"seq":42}
//
// unit_price, epoch and seq are given by the gate, in the same atomic step as the decision. Of
// a product with a currency of its own the unit price is a string, "1999USD"; of units that are
// held for payment it says for how many seconds from created_at, "1999+300" or "1999USD+300". A
// recorder of the version before takes a string for an integer and then three letters or nothing.
// So it sets such an event aside, as parked; a member of its own it would have ignored, and
// recorded the order as sold. Consumers ignore members that they do not know.
//
// Nearly all that is ever granted are orders, and the broker's price grows with every byte of them.
// So an order comes from the gate in short, as the values alone, a third as long; its id tells the
// shard and the millisecond of created_at:
//
//   [2,"id",user_id,product_id,quantity,"idempotency_key",unit_price,epoch,seq]
//
// Both are read alike. What fields there are, and in which order, is in
// src/events/event_fields.hpp, which all that writes and reads them goes by. A gate on Redis keeps
// an event in a form shorter still until it is recorded (src/stock/outbox_entry.hpp).
//
// Between them travel barriers, which no gate has granted:
//
//   {"version":1,"type":"barrier","id":"…","shard":0,"created_at":"…","epoch":2}

#include <boost/json.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "flashsale/base/currency.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"

namespace flashsale::events {

/// What every event has.
struct event_base {
    uuid id;
    std::uint32_t shard = 0;
    timestamp created_at;
    std::uint64_t epoch = 0;
    /// Not the event's own, and not written with it: when the message that brought it was
    /// published, by its publisher's clock, less what was left of the second. nullopt: unknown.
    std::optional<timestamp> published_at = {};
};

/// Units that a gate has granted. With a std::string_view, for code that only writes it.
template <class Text>
struct basic_units_taken : event_base {
    std::int64_t product_id = 0;
    std::int64_t quantity = 0;
    Text idempotency_key;
    std::int64_t unit_price = 0;         ///< minor units
    currency_code currency = {};         ///< of unit_price
    std::uint32_t payment_window_s = 0;  ///< held so long from created_at; 0: sold outright
    std::uint64_t seq = 0;
};

/// They became an order, which has the event's id.
template <class Text>
struct basic_order_accepted : basic_units_taken<Text> {
    static constexpr std::string_view type = "order_accepted";
    std::int64_t user_id = 0;
};

/// They were taken out by hand: unit_price means nothing, and no payment is waited for.
template <class Text>
struct basic_stock_reduced : basic_units_taken<Text> {
    static constexpr std::string_view type = "stock_reduced";
};

using order_accepted = basic_order_accepted<std::string>;
using order_accepted_view = basic_order_accepted<std::string_view>;
using stock_reduced = basic_stock_reduced<std::string>;
using stock_reduced_view = basic_stock_reduced<std::string_view>;

/// All that the log confirmed before this was published comes before it.
struct barrier : event_base {
    static constexpr std::string_view type = "barrier";
};

using event = std::variant<order_accepted, stock_reduced, barrier>;

const event_base& base_of(const event& what);
event_base& base_of(event& what);
/// Of what took units; nullopt: nothing did.
std::optional<std::uint64_t> seq_of(const event& what);

/// Appends what a gate has granted as the gate writes it: an order in short, a reduction in full.
void append_granted(std::string& out, const order_accepted_view& what);
void append_granted(std::string& out, const stock_reduced_view& what);
std::string granted_text(const order_accepted& what);
std::string granted_text(const stock_reduced& what);

/// In full.
std::string text_of(const order_accepted& what);
std::string text_of(const stock_reduced& what);
std::string text_of(const barrier& what);
std::string text_of(const event& what);

/// The id of a complete event of either form, without reading the rest; nullopt if it has none.
std::optional<uuid> id_of(std::string_view text);

/// A complete event, or what is wrong with it.
std::expected<event, std::string> decode(const boost::json::value& value);
std::expected<event, std::string> parse(std::string_view text);

}  // namespace flashsale::events
