#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::recovery::metrics {

extern metric reconcile_barriers;
extern metric reconcile_published;
extern metric reconcile_supplied;
extern metric reconcile_barrier_overdue_ms;
extern metric leases_let_go;
extern metric late_resolved;
extern metric rebuilds;
extern metric rebuild_failures;
extern metric rebuild_ms;
extern metric tokens_renewed;
extern metric rebuild_lacks_bytes;
extern metric gates_shut;

}  // namespace flashsale::recovery::metrics
