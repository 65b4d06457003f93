#include "metrics.hpp"

namespace flashsale::app::metrics {

using enum metric::kind;

metric log_lines_lost{counter, "log_lines_lost_total",
                      "Log lines that standard error did not take"};
metric reloads_refused{counter, "config_reloads_refused_total",
                       "Configuration files that were read again on SIGHUP and refused"};

}  // namespace flashsale::app::metrics
