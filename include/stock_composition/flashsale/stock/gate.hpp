#pragma once

// A gate as a whole: what an adapter implements and the composition hands out. Its users take the
// part that they need: deciding, the outbox, or the view.

#include "flashsale/stock/gate_decisions.hpp"
#include "flashsale/stock/gate_outbox.hpp"
#include "flashsale/stock/gate_view.hpp"

namespace flashsale::stock {

/// Used by one thread, that of the io_context it was made for; calls back there, exactly once.
class gate : public gate_decisions, public gate_outbox, public gate_view {};

}  // namespace flashsale::stock
