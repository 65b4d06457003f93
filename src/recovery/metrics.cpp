#include "metrics.hpp"

namespace flashsale::recovery::metrics {

using enum metric::kind;

metric reconcile_barriers{counter, "reconcile_barriers_total",
                          "Barriers that the reconciler published"};
metric reconcile_published{counter, "reconcile_published_again_total",
                           "Events of the outbox that the reconciler published again"};
metric reconcile_supplied{counter, "reconcile_supplied_total",
                          "Products whose supplied the reconciler had to tell the gate"};
metric reconcile_barrier_overdue_ms{gauge, "reconcile_barrier_overdue_ms",
                                    "Age of a barrier that stays out too long, in milliseconds"};
metric leases_let_go{counter, "shard_leases_let_go_total",
                     "Times that this process could not look after a shard and left it to others"};
metric late_resolved{counter, "late_events_resolved_total",
                     "Events behind a barrier that the gate was asked for again, and pruned"};
metric rebuilds{counter, "shard_rebuilds_total", "Gates rebuilt from the record"};
metric rebuild_failures{counter, "shard_rebuild_failures_total",
                        "Attempts to rebuild a gate that were given up"};
metric rebuild_ms{gauge, "shard_rebuild_ms", "Time that the last rebuild took, in milliseconds"};
metric tokens_renewed{counter, "gate_tokens_renewed_total",
                      "Ways into the log made anew because it had lost its data"};
metric rebuild_lacks_bytes{gauge, "rebuild_lacks_bytes",
                           "Memory below maxmemory that a rebuild would need and Redis does not "
                           "have, in bytes"};
metric gates_shut{counter, "gates_shut_total",
                  "Gates closed because what they hold cannot be trusted any more"};

}  // namespace flashsale::recovery::metrics
