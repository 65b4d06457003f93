#include "metrics.hpp"

namespace flashsale::stock::metrics {

using enum metric::kind;

metric accepted{counter, "reservations_accepted_total", "Reservations answered as accepted"};
metric replayed{counter, "reservations_replayed_total",
                "Acceptances given again for a repeated key"};
metric refused{counter, "reservations_refused_total", "Reservations the gate refused"};
metric unknown{counter, "reservations_unknown_total",
               "Reservations whose outcome was not learnt in time"};
metric overloaded{counter, "reservations_overloaded_total", "Reservations turned away at a limit"};
metric gate_batches{counter, "gate_batches_total", "Batches sent to the gate"};
metric gate_reservations{counter, "gate_reservations_total", "Reservations in those batches"};
metric gate_closed{counter, "gate_closed_total",
                   "Answers of a gate that is closed or not to be trusted"};
metric gate_conflicts{counter, "gate_conflicts_total", "Version conflicts of the database gate"};
metric publishes_again{counter, "events_published_again_total",
                       "Events published again for a repeated key"};
metric confirms_late{counter, "confirms_late_total", "Confirms that came after the deadline"};

}  // namespace flashsale::stock::metrics
