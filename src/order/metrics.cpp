#include "metrics.hpp"

namespace flashsale::order::metrics {

using enum metric::kind;

metric recorded{counter, "recorder_events_total", "Events recorded in the databases"};
metric duplicates{counter, "recorder_duplicates_total", "Events that were recorded already"};
metric parked{counter, "recorder_parked_total", "Events set aside for a person"};
metric late{counter, "recorder_late_total",
            "Events of an older epoch behind a barrier, for which the gate is asked again"};
metric barriers{counter, "recorder_barriers_total", "Barriers recorded"};
metric batches{counter, "recorder_batches_total", "Batches the recorder committed"};
metric retries{counter, "recorder_retries_total",
               "Attempts at a batch that failed and were repeated"};
metric lag_ms{gauge, "recorder_lag_ms",
              "Age of the oldest event that was to be recorded, in milliseconds"};
metric asides{counter, "recorder_steps_aside_total",
              "Times that this process could not record and let another have its turn"};

metric unpruned{gauge, "outbox_unpruned_events",
                "Events recorded whose outbox entry is still to be removed"};
metric unpruned_dropped{counter, "outbox_unpruned_dropped_total",
                        "Outbox entries left to be published again"};

}  // namespace flashsale::order::metrics
