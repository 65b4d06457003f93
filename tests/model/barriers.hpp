#pragma once

// What the reconciler and the rebuild of the model share.

#include <flashsale/events/event.hpp>

#include "process.hpp"
#include "promises.hpp"

namespace flashsale::model {

/// A point of the protocol at which something may strike.
void reach(process& of, std::string_view where);

/// Publishes a barrier and waits until it is recorded, for at most `patience`.
awaitable<bool> wait_for_barrier(process& of, std::uint64_t epoch, uuid token, micros patience);

/// On its way to a server and back, for what is done at once here.
awaitable<void> round_trip(process& of);

/// Rebuilds the gate, by a process that thinks it should.
awaitable<void> rebuild(process& of);

}  // namespace flashsale::model
