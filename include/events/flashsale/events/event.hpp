#pragma once

// What the gate has granted, as JSON:
//
//   {"version":1,"type":"order_accepted","id":"…","shard":0,"user_id":7,"product_id":3,
//    "quantity":1,"idempotency_key":"…","created_at":"…","unit_price":999,"generation":1,"seq":42}
//
// unit_price, generation and seq are given by the gate, in the same atomic step as the decision. Of
// a product with a currency of its own the unit price is a string, "1999USD".
// Consumers ignore members that they do not know.
//
// Nearly all that is ever granted are orders, and the broker's price grows with every byte of them.
// So an order comes from the gate in short, as the values alone, a third as long; its id tells the
// shard and the millisecond of created_at:
//
//   [2,"id",user_id,product_id,quantity,"idempotency_key",unit_price,generation,seq]
//
// Both are read alike. A gate on Redis keeps an event in a form shorter still until it is recorded
// (src/stock/outbox_entry.hpp).
//
// Between them travel barriers, which nobody's gate has granted:
//
//   {"version":1,"type":"barrier","id":"…","shard":0,"created_at":"…","generation":2}

#include <boost/json.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "flashsale/base/currency.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"

namespace flashsale::events {

struct event {
    enum class kind {
        order_accepted,  ///< units of a product became an order
        stock_reduced,   ///< units were taken out by hand; user_id and unit_price mean nothing
        /// All that the log confirmed before this was published comes before it. Has an id, a
        /// shard, a generation and created_at, nothing else.
        barrier,
    };

    kind what = kind::order_accepted;
    uuid id;  ///< the order's, or the movement's
    std::uint32_t shard = 0;
    std::int64_t user_id = 0;
    std::int64_t product_id = 0;
    std::int64_t quantity = 0;
    std::string idempotency_key;
    timestamp created_at;
    std::int64_t unit_price = 0;  ///< minor units
    std::uint64_t generation = 0;
    std::uint64_t seq = 0;
    currency_code currency = {};  ///< of unit_price
    /// Not the event's own, and not written with it: when the message that brought it was
    /// published, by its publisher's clock, less what was left of the second. nullopt: unknown.
    std::optional<timestamp> published_at = {};
};

/// What is known of an event before the gate has decided.
struct event_head {
    event::kind what = event::kind::order_accepted;
    uuid id;
    std::uint32_t shard = 0;
    std::int64_t user_id = 0;
    std::int64_t product_id = 0;
    std::int64_t quantity = 0;
    std::string_view idempotency_key;
    timestamp created_at;
};

/// An order in short, anything else in full, up to what the gate gives: left open.
void append_open_event(std::string& out, const event_head& what);
std::string open_event(const event& what);

/// Completes what open_event() began.
void close_event(std::string& head, std::int64_t unit_price, std::uint64_t generation,
                 std::uint64_t seq, currency_code currency = {});

/// Any complete event, in full.
std::string text_of(const event& what);

/// The id of a complete event of either form, without reading the rest; nullopt if it has none.
std::optional<uuid> id_of(std::string_view text);

/// A complete event, or what is wrong with it.
std::expected<event, std::string> decode(const boost::json::value& value);
std::expected<event, std::string> parse(std::string_view text);

}  // namespace flashsale::events
