#pragma once

#include <flashsale/stock/gate.hpp>
#include <string>

namespace flashsale::stock {

/// The event that a reservation becomes if it is granted: its head, the object left open. Written
/// when somebody needs it, since in a sale nearly nobody does.
void append_event_of(std::string& out, const reservation& asked);
std::string event_of(const reservation& asked);

}  // namespace flashsale::stock
