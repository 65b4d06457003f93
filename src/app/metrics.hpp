#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::app::metrics {

extern metric sweep_barriers;
extern metric sweep_published;
extern metric sweep_given;
extern metric sweep_barrier_overdue_ms;
extern metric leases_let_go;
extern metric late_settled;
extern metric log_lines_lost;
extern metric reloads_refused;
extern metric reopenings;
extern metric reopening_failures;
extern metric reopening_ms;
extern metric tokens_renewed;
extern metric reopening_lacks_bytes;
extern metric gates_shut;

}  // namespace flashsale::app::metrics
