#pragma once

#include <flashsale/stock/gate.hpp>
#include <string>

namespace flashsale::stock {

/// The event that a reservation becomes if it is granted under this id: its head, the object left
/// open. Written when somebody needs it, since in a sale nearly nobody does.
std::string event_of(const reservation& asked, const uuid& id);

}  // namespace flashsale::stock
