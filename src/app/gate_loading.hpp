#pragma once

// Loads a gate in memory from the record, as it is once the log is drained. Blocking.

#include <flashsale/events/event.hpp>
#include <flashsale/order/record.hpp>
#include <flashsale/stock/memory.hpp>
#include <flashsale/stock/record.hpp>

#include <cstddef>

namespace flashsale::app {

struct gate_loading_report {
    std::size_t products = 0, orders = 0, reductions = 0, parked = 0;
};

/// Throws unavailable_error if the record cannot be read or does not add up: a gate loaded
/// from it could sell a unit twice.
gate_loading_report load_gate(stock::memory_gate_owner& gate, stock::record_reader& products,
                              order::record_reader& orders);

/// The same for the audit, which says itself what does not add up; with what the log has besides.
void load_gate_as_it_is(stock::memory_gate_owner& gate, stock::record_reader& products,
                        order::record_reader& orders, std::span<const events::event> unrecorded);

}  // namespace flashsale::app
