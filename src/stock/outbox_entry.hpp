#pragma once

// What stands in a Redis gate's outbox: an event in short, as lua/reserve.lua wrote it, under the
// event's id. Its key field tells what it is, who bought and under which key; numbers follow, each
// after one space, so that the key may have spaces of its own:
//
//   s7:a key 3 1 999 2 40 2
//   └ sale by user 7 under "a key"; product 3, quantity 1, unit price 999, generation 2, seq 40 + 2
//
// The unit price is a word of append_price(): 999USD, where the product has a currency of its own.
// The id tells the rest: shard and time.

#include <flashsale/base/uuid.hpp>
#include <flashsale/stock/gate.hpp>
#include <string>
#include <string_view>

namespace flashsale::stock {

/// The field under which a key is remembered: its scope, then the key.
void add_key_field(std::string& to, operation what, std::int64_t user_id, std::string_view key);

/// The event, complete. What is no entry comes back as it is, for whoever reads events to set
/// aside; as a JSON string if it is no JSON, or it would spoil the message that it travels in.
std::string event_of_entry(const uuid& id, std::string_view entry);

}  // namespace flashsale::stock
