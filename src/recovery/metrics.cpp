#include "metrics.hpp"

namespace flashsale::recovery::metrics {

using enum metric::kind;

metric sweep_barriers{counter, "sweep_barriers_total", "Barriers that the sweep published"};
metric sweep_published{counter, "sweep_published_again_total",
                       "Events of the outbox that the sweep published again"};
metric sweep_given{counter, "sweep_given_total",
                   "Products whose given the sweep had to tell the gate"};
metric sweep_barrier_overdue_ms{gauge, "sweep_barrier_overdue_ms",
                                "Age of a barrier that stays out too long, in milliseconds"};
metric leases_let_go{counter, "shard_leases_let_go_total",
                     "Times that this process could not look after a shard and left it to others"};
metric late_settled{counter, "late_events_settled_total",
                    "Events behind a barrier that the gate was asked for again, and settled"};
metric reopenings{counter, "shard_reopenings_total", "Gates rebuilt from the record"};
metric reopening_failures{counter, "shard_reopening_failures_total",
                          "Attempts to rebuild a gate that were given up"};
metric reopening_ms{gauge, "shard_reopening_ms",
                    "Time that the last reopening took, in milliseconds"};
metric tokens_renewed{counter, "gate_tokens_renewed_total",
                      "Ways into the log made anew because it had lost its data"};
metric reopening_lacks_bytes{
    gauge, "reopening_lacks_bytes",
    "Memory below maxmemory that a reopening would need and Redis does not "
    "have, in bytes"};
metric gates_shut{counter, "gates_shut_total",
                  "Gates closed because what they hold cannot be trusted any more"};

}  // namespace flashsale::recovery::metrics
