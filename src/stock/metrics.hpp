#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::stock::metrics {

extern metric accepted;
extern metric replayed;
extern metric refused;
extern metric unknown;
extern metric overloaded;
extern metric gate_batches;
extern metric gate_reservations;
extern metric gate_closed;
extern metric gate_conflicts;
extern metric publishes_again;
extern metric confirms_late;

}  // namespace flashsale::stock::metrics
