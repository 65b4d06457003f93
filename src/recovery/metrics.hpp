#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::recovery::metrics {

extern metric sweep_barriers;
extern metric sweep_published;
extern metric sweep_given;
extern metric sweep_barrier_overdue_ms;
extern metric leases_let_go;
extern metric late_settled;
extern metric reopenings;
extern metric reopening_failures;
extern metric reopening_ms;
extern metric tokens_renewed;
extern metric reopening_lacks_bytes;
extern metric gates_shut;

}  // namespace flashsale::recovery::metrics
