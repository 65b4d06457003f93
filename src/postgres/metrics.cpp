#include "metrics.hpp"

namespace flashsale::postgres::metrics {

using enum metric::kind;

metric statements(counter, "postgres_statements_total", "Statements sent by sessions and pools");
metric overloaded(counter, "postgres_statements_overloaded_total",
                  "Statements refused because a pool's queue was full or the wait in it too long");
metric outcomes_unknown(counter, "postgres_outcomes_unknown_total",
                        "Statements sent whose reply never came");
metric connections_lost(counter, "postgres_connections_lost_total",
                        "Established connections that ended before we ended them");
metric connects_failed(counter, "postgres_connects_failed_total",
                       "Attempts to connect that failed");

}  // namespace flashsale::postgres::metrics
