#pragma once

// What stands in a Redis gate's outbox: an event in short, as lua/reserve.lua wrote it, under the
// event's id. Its first byte tells its form, and so how many fields it has; what is of no known
// form, or has another number of fields, is no event. Numbers come first, then the key field, whose
// key may have spaces of its own: what the event is, its user, and the key.
//
//   2 3 1 999 2 40 s7:a key
//   └ seq 40 + 2, product 3, quantity 1, unit price 999, epoch 2; sale to user 7 under "a key"
//
// The unit price is a word of append_price(): 999USD, where the product has a currency of its own,
// and 999+300 or 999USD+300 where its units are held for payment.
// The id tells the rest: shard and time.
//
// Version 0.1 wrote the key field first, and the place last: `s7:a key 3 1 999 2 40 2`. What it
// left is read too.

#include <flashsale/base/uuid.hpp>
#include <flashsale/stock/gate.hpp>
#include <string>
#include <string_view>

namespace flashsale::stock {

/// The field under which a key is remembered: its scope, then the key.
void add_key_field(std::string& to, operation what, std::int64_t user_id, std::string_view key);

/// The event, complete. What is no entry comes back as it is, for the reader of events to set
/// aside; as a JSON string if it is no JSON, or it would spoil the message that it travels in.
std::string event_of_entry(const uuid& id, std::string_view entry);

}  // namespace flashsale::stock
